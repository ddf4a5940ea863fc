// uWebSockets: the same as ws_server.js, with its own topics.
//
//     node uws_server.js PORT

const fs = require("fs");
const uws = require("@trufflesuite/uws-js-unofficial");

const body = process.env.BODY ? fs.readFileSync(process.env.BODY) : Buffer.from("{}");
const waiting = new Map();

const app = uws.App();
app.ws("/sub/:topic", {
  compression: uws.DISABLED,
  idleTimeout: 0,
  upgrade: (answer, request, context) => {
    answer.upgrade(
      { topic: request.getParameter(0) },
      request.getHeader("sec-websocket-key"),
      request.getHeader("sec-websocket-protocol"),
      request.getHeader("sec-websocket-extensions"),
      context,
    );
  },
  open: (socket) => socket.subscribe(socket.topic),
});
app.post("/pub/:topic", (answer, request) => {
  const topic = request.getParameter(0);
  let text = Buffer.alloc(0);
  answer.onAborted(() => {});
  answer.onData((part, last) => {
    text = Buffer.concat([text, Buffer.from(part)]);
    if (!last) return;
    app.publish(topic, text, false);
    for (const waiter of waiting.get(topic) ?? []) {
      waiter.cork(() => waiter.writeHeader("Content-Type", "application/json").end(text));
    }
    waiting.delete(topic);
    answer.writeHeader("Content-Type", "application/json").end("{}");
  });
});
app.get("/poll/:topic", (answer, request) => {
  const topic = request.getParameter(0);
  if (!waiting.has(topic)) waiting.set(topic, new Set());
  waiting.get(topic).add(answer);
  answer.onAborted(() => waiting.get(topic)?.delete(answer));
});
app.any("/*", (answer) => answer.writeHeader("Content-Type", "application/json").end(body));
app.listen("127.0.0.1", Number(process.argv[2]), (listening) => {
  if (!listening) process.exit(1);
});
