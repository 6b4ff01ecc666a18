import { io, type Socket } from "socket.io-client";
import { type Backoff, pause, pauseMs } from "./backoff.ts";
import type { Login } from "./login.ts";
import type { ClientMessages, ServerMessages } from "./messages.ts";
import { Problem } from "./problem.ts";

export type QuizSocket = Socket<ServerMessages, ClientMessages>;

/** Half the time before a token's end at which it is replaced (login.ts): none lapses between two looks. */
const RENEW_EVERY_MS = 30_000;
const BACKOFF: Backoff = { firstMs: 1_000, limitMs: 15_000 };
const TOKEN_REFUSALS = new Set<unknown>([
  "token_missing",
  "token_invalid",
  "token_expired",
  "user_unknown",
]);

/** A socket that says who it is with a token fresh at each connect, not the one it was born with. */
export function openSocket(login: Login): QuizSocket {
  let token = "";
  let refusals = 0;
  let isClosed = false;
  const socket: QuizSocket = io({
    path: "/socket.io/",
    transports: ["websocket", "polling"],
    tryAllTransports: true,
    // The library would share one connection between two logins of one page.
    forceNew: true,
    reconnectionDelay: 500,
    reconnectionDelayMax: 5_000,
    auth: (send) => {
      login.accessToken().then(
        (fresh) => send({ token: (token = fresh) }),
        // Without a token the server refuses, and the refusal below decides what comes next.
        () => send({ token: (token = "") }),
      );
    },
  });
  // The server closes a socket when its token ends, unless it is shown a newer one.
  const renewing = setInterval(() => void renew(), RENEW_EVERY_MS);
  const close = socket.close.bind(socket);
  socket.close = () => {
    isClosed = true;
    clearInterval(renewing);
    return close();
  };

  // Of a transport that fails, the library tries again by itself; of a refusal, it does not.
  socket.on("connect", () => (refusals = 0));
  socket.on("connect_error", (error) => {
    if (!socket.active) void comeBack(isAboutToken(error));
  });
  socket.on("disconnect", (reason) => {
    if (reason === "io server disconnect") void comeBack(false);
  });

  async function renew(): Promise<void> {
    if (!socket.connected) return;
    // Without a token, or an answer, the server ends the connection in time, and we come back.
    const fresh = await login.accessToken().catch(() => token);
    if (fresh === token || !socket.connected) return;
    socket.emit("renew_token", { token: fresh }, (reply) => {
      if (reply.ok) token = fresh;
    });
  }

  async function comeBack(withFreshToken: boolean): Promise<void> {
    await pause(pauseMs(BACKOFF, refusals++));
    try {
      if (withFreshToken) await login.refresh(token);
    } catch (error) {
      if (!(error instanceof Problem) || !error.isTemporary) return;
    }
    if (!isClosed) socket.connect();
  }

  return socket;
}

function isAboutToken(error: Error & { data?: unknown }): boolean {
  return TOKEN_REFUSALS.has((error.data as { code?: unknown } | undefined)?.code);
}
