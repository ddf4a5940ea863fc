// Verifies deliveries as a receiver would. Reads lines of JSON, {"key","headers","body"} with the body in base64; answers
// each with a line: "accepted", or "refused: " and why.
//
//   node verify_webhook.js FOLDER      where FOLDER/node_modules has the package standardwebhooks
//
// A shared secret (whsec_…) is the package's to verify. It knows no public keys (whpk_…): those, Node's own crypto does.
"use strict";

const crypto = require("crypto");
const path = require("path");
const readline = require("readline");

const { Webhook } = require(path.join(process.argv[2], "node_modules", "standardwebhooks"));

function verifyWithPublicKey(key, headers, body) {
  const x = Buffer.from(key.slice("whpk_".length), "base64").toString("base64url");
  const publicKey = crypto.createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  const text = Buffer.concat([Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.`), body]);
  const good = headers["webhook-signature"].split(" ").some((one) => {
    const [version, signature] = one.split(",");
    return version === "v1a" && crypto.verify(null, text, publicKey, Buffer.from(signature, "base64"));
  });
  if (!good) throw new Error("No matching signature found");
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const { key, headers, body } = JSON.parse(line);
  const bytes = Buffer.from(body, "base64");
  try {
    if (key.startsWith("whpk_")) verifyWithPublicKey(key, headers, bytes);
    else new Webhook(key).verify(bytes, headers);
    console.log("accepted");
  } catch (error) {
    console.log(`refused: ${error.message}`);
  }
});
