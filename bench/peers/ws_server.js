// The package ws on Node's own HTTP server: topics, published to over HTTP, heard over WebSocket or by a poll that
// waits.
//
//     node ws_server.js PORT
//
// POST /pub/TOPIC tells all who listen; GET /sub/TOPIC is a WebSocket; GET /poll/TOPIC waits for the next; any other
// GET is answered with the body in the file that the environment variable BODY names.

const fs = require("fs");
const http = require("http");
const { WebSocketServer } = require("ws");

const body = process.env.BODY ? fs.readFileSync(process.env.BODY) : Buffer.from("{}");
const listening = new Map();
const waiting = new Map();

function members(map, topic) {
  if (!map.has(topic)) map.set(topic, new Set());
  return map.get(topic);
}

function publish(topic, text) {
  for (const socket of listening.get(topic) ?? []) socket.send(text);
  for (const answer of waiting.get(topic) ?? []) answer.end(text);
  waiting.delete(topic);
}

const server = http.createServer((request, answer) => {
  const [, verb, topic] = request.url.split("/");
  answer.setHeader("Content-Type", "application/json");
  if (request.method === "POST") {
    let text = "";
    request.on("data", (part) => (text += part));
    request.on("end", () => {
      publish(topic, text);
      answer.end("{}");
    });
  } else if (verb === "poll") {
    members(waiting, topic).add(answer);
    answer.on("close", () => waiting.get(topic)?.delete(answer));
  } else {
    answer.end(body);
  }
});
server.keepAliveTimeout = 600_000;
server.requestTimeout = 0;

const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on("connection", (socket, request) => {
  const topic = request.url.split("/")[2];
  members(listening, topic).add(socket);
  socket.on("close", () => listening.get(topic)?.delete(socket));
});
server.listen({ port: Number(process.argv[2]), host: "127.0.0.1", backlog: 65535 });
