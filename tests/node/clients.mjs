// Clients of socket.io-client, any number, by name; everything they are sent is told as {client, happened, …}.
import { io } from "socket.io-client";
import { say, serve } from "./lines.mjs";

const sockets = new Map();

// Resolves when connected; with the reason when refused.
function open({ client, url, options }) {
  const socket = io(url, { forceNew: true, ...options });
  sockets.set(client, socket);
  socket.onAny((...message) => say({ client, message }));
  socket.on("disconnect", (reason) => say({ client, disconnected: reason }));
  return new Promise((resolve) => {
    socket.on("connect", () => {
      say({ client, connected: socket.id });
      resolve({ connected: socket.id });
    });
    socket.on("connect_error", (error) => resolve({ refused: error.message, data: error.data ?? null }));
  });
}

serve({
  open,
  // Every message in the same turn; the acknowledgements in their order.
  call: ({ client, messages }) =>
    Promise.all(messages.map((message) => sockets.get(client).timeout(20_000).emitWithAck(...message))),
  // From the next connection on.
  log_in_as: ({ client, token }) => void (sockets.get(client).auth = { token }),
  recovered: ({ client }) => sockets.get(client).recovered,
  transport: ({ client }) => sockets.get(client).io.engine.transport.name,
  // As when a phone changes networks: no word of farewell.
  cut: ({ client }) => void sockets.get(client).io.engine.close(),
  close: ({ client }) => void sockets.get(client).disconnect(),
});
say({ ready: true });
