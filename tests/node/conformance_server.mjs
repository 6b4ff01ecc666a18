// The server that the official test suites of Engine.IO v4 and Socket.IO v5 ask for, as Node's reference has it:
// `node conformance_server.mjs '{"fast": {"ping_interval_ms": 300, …}, …}'` listens once for every name, says
// {"fast": port, …} and ends with its standard input. tests/conformance/server.py is the same of ours.
import { once } from "node:events";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { Server } from "socket.io";
import { say, serve } from "./lines.mjs";

const { Server: EngineServer } = createRequire(import.meta.resolve("socket.io"))("engine.io");

async function listen({ port = 0, ...times }) {
  const options = {
    pingInterval: times.ping_interval_ms,
    pingTimeout: times.ping_timeout_ms,
    upgradeTimeout: times.upgrade_timeout_ms,
    connectTimeout: times.connect_timeout_ms,
    maxHttpBufferSize: times.max_payload_bytes,
    cors: { origin: "*" },
    destroyUpgrade: false,
    allowRequest: (request, decide) => decide(null, request.headers.origin !== "https://refused.example"),
  };
  const http = createServer((_, response) => response.writeHead(404).end());
  const engine = new EngineServer(options);
  engine.on("connection", (socket) => socket.on("data", (data) => socket.send(data)));
  engine.attach(http, { path: "/engine.io", destroyUpgrade: false });

  const io = new Server(http, options);
  for (const name of ["/", "/custom"]) {
    io.of(name).on("connection", welcome);
  }
  io.of("/members").use((socket, next) => {
    const refusal = Object.assign(new Error("Not authorized"), { data: { code: "E1" } });
    next(socket.handshake.auth.token === "right" ? undefined : refusal);
  });
  io.of("/asking").on("connection", (socket) => ask(socket));
  http.listen(port, "127.0.0.1");
  await once(http, "listening");
  return http.address().port;
}

function welcome(socket) {
  socket.emit("auth", socket.handshake.auth);
  socket.on("message", (...args) => socket.emit("message-back", ...args));
  socket.on("message-with-ack", (...args) => args.pop()(...args));
  // Not of the official suites: the server asks, and the server disconnects.
  socket.on("ask", (...args) => ask(socket, ...args));
  socket.on("disconnect-me", (close) => socket.disconnect(close));
}

async function ask(socket, ...args) {
  socket.emit("answered", await socket.emitWithAck("question", ...args));
}

const ports = {};
for (const [name, options] of Object.entries(JSON.parse(process.argv[2]))) {
  ports[name] = await listen(options);
}
serve({});
say(ports);
