// Follows jobs over WebSocket until each has ended. Tells all that happens to them, whatever cuts the connection.
//
//     CARILLON_URL=http://127.0.0.1:8080 CARILLON_KEY=sk_live_... node listen.mjs JOB...
//
// Node 22 has a WebSocket of its own; Node 18 and 20 need one: npm install ws

const WebSocket = globalThis.WebSocket ?? (await import("ws")).WebSocket;

const url = (process.env.CARILLON_URL ?? "http://127.0.0.1:8080").replace("http", "ws") + "/api/v1/ws/jobs?resume=1";
const key = process.env.CARILLON_KEY;
const silenceMaxMs = 60_000; // a heartbeat comes every 30 s: two that are missing mean that nobody is there
const delayMaxMs = 30_000;

/** One connection: settles when it has ended. Throws where another would fare no better. */
function listen(places, onUpdate) {
  return new Promise((resolve, reject) => {
    // The key goes as a subprotocol, not in the URL: URLs are logged by every proxy on the way.
    const socket = new WebSocket(url, ["carillon.v1", key]);
    let epoch;
    let silence;
    const end = (settle, what) => {
      clearTimeout(silence);
      socket.onmessage = socket.onclose = null;
      socket.onerror = () => {};
      socket.close();
      settle(what);
    };
    const heard = () => {
      clearTimeout(silence);
      silence = setTimeout(() => end(resolve, { welcome: epoch !== undefined, why: "nothing heard" }), silenceMaxMs);
    };
    heard();
    socket.onerror = () => {}; // what is wrong is said by the close that follows
    socket.onclose = ({ code, reason }) => {
      if (code === 4001) return end(reject, new Error(`the hub refuses the key: ${reason}`));
      end(resolve, { welcome: epoch !== undefined, why: `${code} ${reason}`.trim() });
    };
    socket.onmessage = ({ data }) => {
      heard();
      const message = JSON.parse(data);
      if (message.type === "connected") {
        epoch = message.epoch;
        for (const [job, place] of places) socket.send(JSON.stringify({ action: "subscribe", job_id: job, ...place }));
      } else if (message.type === "error") {
        end(reject, new Error(message.message));
      } else if (message.type === "job_update") {
        onUpdate(message);
        if (message.status === "succeeded" || message.status === "failed") places.delete(message.job_id);
        else places.set(message.job_id, { after: message.seq, epoch });
        if (places.size === 0) end(resolve, {});
      }
    };
  });
}

async function follow(jobs, onUpdate) {
  const places = new Map(jobs.map((job) => [job.toLowerCase(), {}])); // up to where each that has not ended was heard
  let delayMs = 1000;
  for (;;) {
    const { welcome, why } = await listen(places, onUpdate);
    if (places.size === 0) return;
    if (welcome) delayMs = 1000;
    console.error(`not connected (${why}), again in ${delayMs / 1000} s at most`);
    await new Promise((resolve) => setTimeout(resolve, delayMs * (0.5 + Math.random() / 2))); // not all clients at once
    delayMs = Math.min(2 * delayMs, delayMaxMs);
  }
}

function show({ job_id, status, result, error }) {
  const line = [job_id, status];
  if (status === "succeeded") line.push(JSON.stringify(result));
  if (status === "failed") line.push(error);
  console.log(...line);
}

const jobs = process.argv.slice(2);
if (jobs.length === 0 || !key) {
  console.error("usage: CARILLON_KEY=sk_live_... node listen.mjs JOB...");
  process.exit(1);
}
try {
  await follow(jobs, show);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
