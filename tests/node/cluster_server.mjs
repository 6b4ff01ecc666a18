// A Socket.IO server of Node that recovers connections; its arguments are the Redis, and options of the adapter:
// `node cluster_server.mjs {"socket": {"path": …}} {"streamCount": 4}`. The test says what it emits; what other servers
// emit to servers, it says by itself, and answers. It also runs clients of socket.io-client, by name, to any server;
// everything they are sent is told as {client, happened, …}.
import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-streams-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";
import { io as connect } from "socket.io-client";
import { say, serve } from "./lines.mjs";

const redis = createClient(JSON.parse(process.argv[2]));
// Cut connections are part of the tests; the client connects again by itself.
redis.on("error", () => {});
await redis.connect();

const http = createServer();
const io = new Server(http, {
  adapter: createAdapter(redis, { blockTimeInMs: 100, ...JSON.parse(process.argv[3] ?? "{}") }),
  connectionStateRecovery: { maxDisconnectionDuration: 20_000 },
  pingInterval: 2_000,
  pingTimeout: 1_000,
});

// What JSON, or msgpack, writes in a way of its own.
const values = () => [
  { whole: 7, negative: -1, half: 0.5, big: 2 ** 53 - 1, bigger: 1e300, negative_big: -(2 ** 40), none: null },
  "ä€😀",
  [true, [], {}],
];
const bytes = () => [Buffer.from([0, 255, 123]), { deep: [new Uint8Array([1, 2])] }, undefined, { gone: undefined }];

for (const name of ["/", "/admin"]) {
  const namespace = io.of(name);
  namespace.on("connection", (socket) => {
    socket.data.server = "Node";
    socket.on("join", (rooms, acknowledge) => {
      socket.join(rooms);
      acknowledge([...socket.rooms]);
    });
    socket.on("ask", (question, acknowledge) => acknowledge({ server: "Node", question, recovered: socket.recovered }));
    socket.on("data", (data, acknowledge) => {
      Object.assign(socket.data, data);
      acknowledge(socket.data);
    });
  });
  namespace.on("told", (...message) => say({ namespace: name, told: message }));
  namespace.on("asked", (question, answer) => answer({ server: "Node", question }));
  namespace.on("asked_for_bytes", (answer) => answer(Buffer.from([1, 2, 3])));
  namespace.on("asked_for_nothing", (answer) => answer());
  namespace.on("never_answered", () => {});
}

function chosen({ namespace = "/", rooms = [], except = [], flags = [] }) {
  const whom = io.of(namespace).to(rooms).except(except);
  return flags.reduce((operator, flag) => operator[flag], whom);
}

const described = ({ id, rooms, data, handshake }) => ({ id, rooms: [...rooms], data, handshake });

async function answers(asking) {
  try {
    return { answers: await asking };
  } catch (error) {
    return { missing: error.message, answers: error.responses ?? null };
  }
}

const clients = new Map();

// Resolves when connected first. It connects again by itself, and then says whether it was recovered.
function open({ client, url, options }) {
  const socket = connect(url, { forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 200, ...options });
  clients.set(client, socket);
  socket.onAny((...message) => {
    const acknowledge = typeof message.at(-1) === "function" ? message.pop() : undefined;
    say({ client, message });
    acknowledge?.({ client, got: message[0] });
  });
  socket.on("disconnect", (reason) => say({ client, disconnected: reason }));
  return new Promise((resolve) => {
    socket.on("connect", () => {
      say({ client, connected: socket.id, recovered: socket.recovered });
      resolve(socket.id);
    });
    socket.on("connect_error", (error) => say({ client, refused: error.message }));
  });
}

serve({
  open,
  call: ({ client, message }) =>
    clients
      .get(client)
      .timeout(20_000)
      .emitWithAck(...message),
  close: ({ client }) => void clients.get(client).disconnect(),
  emit: ({ messages, ...whom }) => messages.forEach((message) => chosen(whom).emit(...message)),
  emit_values: ({ event, ...whom }) => void chosen(whom).emit(event, ...values()),
  emit_bytes: ({ event, ...whom }) => void chosen(whom).emit(event, ...bytes(), ...values()),
  emit_with_ack: ({ message, timeout = 5_000, ...whom }) =>
    answers(
      chosen(whom)
        .timeout(timeout)
        .emitWithAck(...message),
    ),
  emit_bytes_with_ack: ({ event, ...whom }) =>
    answers(
      chosen(whom)
        .timeout(5_000)
        .emitWithAck(event, ...bytes()),
    ),
  sockets_join: ({ others, ...whom }) => chosen(whom).socketsJoin(others),
  sockets_leave: ({ others, ...whom }) => chosen(whom).socketsLeave(others),
  disconnect_sockets: ({ close = false, ...whom }) => chosen(whom).disconnectSockets(close),
  fetch_sockets: async (whom) => (await chosen(whom).fetchSockets()).map(described),
  server_side_emit: ({ namespace = "/", message }) => void io.of(namespace).serverSideEmit(...message),
  server_side_emit_bytes: ({ event }) => void io.serverSideEmit(event, ...bytes(), ...values()),
  server_side_emit_with_ack: ({ namespace = "/", message }) =>
    answers(io.of(namespace).serverSideEmitWithAck(...message)),
  server_count: ({ namespace = "/" }) => io.of(namespace).adapter.serverCount(),
});
http.listen(0, "127.0.0.1", () => say({ port: http.address().port }));
