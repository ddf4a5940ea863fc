// Follows the event feed by polling. Misses nothing, also of what happens while it does not run: it keeps its place in
// a file. Node 18 or later, no packages.
//
//     CARILLON_URL=http://127.0.0.1:8080 CARILLON_KEY=sk_live_... node poll.mjs FILE

import { open, readFile, rename } from "node:fs/promises";

const hub = (process.env.CARILLON_URL ?? "http://127.0.0.1:8080") + "/api/v1";
const key = process.env.CARILLON_KEY;
const waitS = 60;
const delayMaxS = 30;

/** Nothing in the beginning: then the feed is told from where it begins. */
async function readPlace(file) {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return {};
    throw error;
  }
}

/** Whole or not at all, whenever the power goes. */
async function keepPlace(file, place) {
  const out = await open(`${file}.new`, "w");
  try {
    await out.writeFile(JSON.stringify(place));
    await out.sync();
  } finally {
    await out.close();
  }
  await rename(`${file}.new`, file);
}

/** The answer, as soon as there is something to tell, or after waitS; a status of 0 where none came. */
async function ask(place) {
  try {
    const answer = await fetch(`${hub}/events?${new URLSearchParams({ ...place, wait: waitS })}`, {
      headers: { "X-API-Key": key },
      signal: AbortSignal.timeout((waitS + 15) * 1000),
    });
    return { status: answer.status, retryAfterS: Number(answer.headers.get("Retry-After")), body: await answer.json() };
  } catch (error) {
    return { status: 0, why: error.cause?.message ?? error.message };
  }
}

async function follow(file, onEvent) {
  let place = await readPlace(file);
  let delayS = 1;
  for (;;) {
    const { status, retryAfterS, why, body } = await ask(place);
    if (status === 200) {
      for (const event of body.events) await onEvent(event);
      place = { after: body.next_after, epoch: body.epoch };
      await keepPlace(file, place); // behind the work: what a crash cuts off between is told again, and never lost
      delayS = 1;
    } else if (status === 409 || status === 410) {
      // 410: what comes next is no longer kept. 409: this is another history, from a backup.
      console.error(`a gap: ${body.detail}`);
      place = { after: body.begins_after, epoch: body.epoch };
    } else if (status >= 400 && status < 500 && status !== 429) {
      throw new Error(`the hub refuses: ${status} ${body.detail}`);
    } else {
      const pauseS = retryAfterS || delayS * (0.5 + Math.random() / 2);
      console.error(`no answer (${why ?? status}), again in ${pauseS.toFixed(1)} s`);
      await new Promise((resolve) => setTimeout(resolve, pauseS * 1000));
      delayS = Math.min(2 * delayS, delayMaxS);
    }
  }
}

function show({ seq, type, data }) {
  console.log(seq, type, data.job_id ?? "-", JSON.stringify(data.result ?? null));
}

if (process.argv.length !== 3 || !key) {
  console.error("usage: CARILLON_KEY=sk_live_... node poll.mjs FILE");
  process.exit(1);
}
try {
  await follow(process.argv[2], show);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
