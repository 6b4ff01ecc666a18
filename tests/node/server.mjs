// A Socket.IO server of Node on the Redis of a Tiebreak: `node server.mjs {"socket": {"path": …}}`.
// Anyone may enter any session; the test says what it emits.
import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-streams-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";
import { say, serve } from "./lines.mjs";

const redis = createClient(JSON.parse(process.argv[2]));
// Cut connections are part of the tests; the client connects again by itself.
redis.on("error", () => {});
await redis.connect();

const http = createServer();
const io = new Server(http, { adapter: createAdapter(redis) });
io.on("connection", (socket) => {
  socket.on("enter_session", ({ quiz_session_id }, acknowledge) => {
    socket.join(quiz_session_id);
    acknowledge({ ok: true });
  });
});

const chosen = ({ rooms = [], except = [] }) => io.to(rooms).except(except);
serve({
  emit: ({ messages, ...whom }) => messages.forEach((message) => chosen(whom).emit(...message)),
  emit_binary: ({ event, ...whom }) => void chosen(whom).emit(event, Buffer.from("binary")),
  emit_in_namespace: ({ namespace, rooms, message }) => void io.of(namespace).to(rooms).emit(...message),
  sockets_join: ({ others, ...whom }) => chosen(whom).socketsJoin(others),
  sockets_leave: ({ others, ...whom }) => chosen(whom).socketsLeave(others),
  disconnect_sockets: (whom) => chosen(whom).disconnectSockets(),
  server_side_emit: ({ message }) => void io.serverSideEmit(...message),
  fetch_sockets: async (whom) => (await chosen(whom).fetchSockets()).map((socket) => socket.id),
});
http.listen(0, "127.0.0.1", () => say({ port: http.address().port }));
