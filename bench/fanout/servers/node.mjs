// Node's Socket.IO, with the packages of tests/node: `node node.mjs CONTROL MESSAGE`.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { createServer as createControl } from "node:net";

const require = createRequire(new URL("../../../tests/node/package.json", import.meta.url));
const { Server } = require("socket.io");
const [control, message] = process.argv.slice(2);
const [event, board] = JSON.parse(readFileSync(message, "utf8"));

const http = createServer();
const io = new Server(http, { serveClient: false });
io.on("connection", (socket) => void socket.join("room"));

createControl((triggers) => {
  triggers.on("data", (bytes) => {
    for (let count = bytes.length; count > 0; count--) {
      board.version++;
      io.to("room").emit(event, board);
    }
  });
  triggers.on("close", () => process.exit());
}).listen(control, () => {
  http.listen(0, "127.0.0.1", 2048, () => console.log(`port ${http.address().port}`));
});
