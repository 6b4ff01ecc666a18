// Node's fastify, with the packages of bench/node: `node fastify.mjs SETTING [verify]`.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../node/package.json", import.meta.url));
const [path, verify] = process.argv.slice(2);
const setting = JSON.parse(readFileSync(path, "utf8"));

const receipt = `tb1.${"A".repeat(112)}`;
const app = require("fastify")({ logger: false });
if (verify) {
  await app.register(require("@fastify/jwt"), {
    secret: { public: setting.pem },
    verify: { algorithms: ["RS256"], allowedIss: "tiebreak-auth", allowedAud: "tiebreak", cache: true },
  });
  app.addHook("onRequest", (request) => request.jwtVerify());
}
app.post("/update-score", async (request) => ({
  participant_answer_id: request.body.answer_id,
  correct: request.body.answer === 1,
  score: 100,
  receipt,
}));
await app.listen({ host: "127.0.0.1", port: 0, backlog: 2048 });
console.log(`port ${app.server.address().port}`);
