// Receives webhooks: takes what the hub has signed and nothing else, and each event once. Node 18 or later.
//
//     WEBHOOK_SECRET=whsec_... node receive.mjs [PORT]

import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const key = Buffer.from((process.env.WEBHOOK_SECRET ?? "").replace(/^whsec_/, ""), "base64");
const ageMaxS = 300;
const bodyMaxBytes = 2 << 20; // the hub's webhooks.max_body is 1 MiB
const seenMax = 100_000;

/** Standard Webhooks 1.0.0. `body` is a Buffer of what came, before any parsing. */
function isFromTheHub(headers, body) {
  const { "webhook-id": id = "", "webhook-timestamp": sentAt = "", "webhook-signature": signatures = "" } = headers;
  if (!/^\d{1,12}$/.test(sentAt) || Math.abs(Date.now() / 1000 - Number(sentAt)) > ageMaxS) return false;
  const mac = createHmac("sha256", key).update(`${id}.${sentAt}.`).update(body).digest("base64");
  const wanted = Buffer.from(`v1,${mac}`);
  // Two of them while a secret is replaced; one that fits is enough.
  return signatures.split(" ").some((text) => {
    const one = Buffer.from(text);
    return one.length === wanted.length && timingSafeEqual(one, wanted);
  });
}

/** Quick, and safe on disk when it returns: what takes long goes into a queue of your own from here. */
async function handle({ type, data }) {
  console.log(type, data.job_id ?? "-", JSON.stringify(data.result ?? null));
}

// Lets an event through once, by its webhook-id. Keeps the last ones in memory: a receiver that must not repeat work
// over its own restarts keeps the id where it keeps the work, in the same transaction.
const seen = new Map(); // to the promise of its handling

async function handleOnce(id, event) {
  if (!seen.has(id)) {
    seen.set(id, handle(event));
    if (seen.size > seenMax) seen.delete(seen.keys().next().value);
  }
  try {
    await seen.get(id);
  } catch (error) {
    seen.delete(id); // what failed is to come again
    throw error;
  }
}

async function statusFor(request) {
  if (request.method !== "POST") return 405;
  if (!(Number(request.headers["content-length"]) <= bodyMaxBytes)) return 413; // the hub always says how much it sends
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const body = Buffer.concat(pieces);
  if (!isFromTheHub(request.headers, body)) return 401;
  try {
    await handleOnce(request.headers["webhook-id"], JSON.parse(body));
  } catch (error) {
    console.error(error); // whatever it is: the hub sends it again
    return 500;
  }
  return 204;
}

if (key.length < 24) {
  console.error("usage: WEBHOOK_SECRET=whsec_... node receive.mjs [PORT]");
  process.exit(1);
}
const server = createServer(async (request, response) => {
  try {
    const status = await statusFor(request);
    response.writeHead(status, status === 204 ? {} : { Connection: "close" }).end();
  } catch {
    response.destroy(); // the connection was cut in the middle of a request
  }
});
server.listen(Number(process.argv[2] ?? 8000), "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}/`);
});
