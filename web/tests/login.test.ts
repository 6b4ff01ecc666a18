import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Login } from "../src/lib/login.ts";
import { memoryStorage } from "./memory-storage.ts";

const MINUTE_MS = 60_000;

const answer = (status: number, body: object) =>
  new Response(JSON.stringify(body), { status });

/** An auth server whose refresh tokens rotate; one used twice is counted, as the real one revokes. */
function authServer() {
  let generation = 0;
  let isDown = false;
  const reused: string[] = [];
  const used = new Set<string>();
  const tokens = () => ({
    user_id: "ada",
    access_token: `access-${generation}`,
    refresh_token: `refresh-${generation}`,
    token_type: "Bearer" as const,
    expires_in: 900,
  });
  const fetch = vi.fn(async (path: string, init: RequestInit) => {
    if (isDown) throw new TypeError("network");
    const sent = typeof init.body === "string" ? (JSON.parse(init.body) as Record<string, string>) : {};
    if (path === "/auth/refresh") {
      const token = sent["refresh_token"] ?? "";
      if (used.has(token)) reused.push(token);
      if (used.has(token) || token !== `refresh-${generation}`) {
        return answer(401, { code: "refresh_token_reused" });
      }
      used.add(token);
      generation += 1;
      return answer(200, tokens());
    }
    const token = new Headers(init.headers).get("authorization");
    if (token !== `Bearer access-${generation}`) return answer(401, { code: "token_expired" });
    return answer(200, { ok: true });
  });
  return {
    fetch,
    tokens,
    reused,
    revoke: () => (generation += 100),
    goDown: () => (isDown = true),
    refreshes: () => fetch.mock.calls.filter(([path]) => path === "/auth/refresh").length,
  };
}

const anyCall = { method: "GET", path: "/quizzes" } as const;
let server: ReturnType<typeof authServer>;

beforeEach(() => {
  server = authServer();
  vi.stubGlobal("fetch", server.fetch);
  vi.stubGlobal("localStorage", memoryStorage());
  vi.stubGlobal("navigator", {});
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test("a token with time left is used as it is", async () => {
  const login = new Login("player");
  login.save(server.tokens(), "Ada");
  await login.call(anyCall);
  expect(server.refreshes()).toBe(0);
});

test("a token about to lapse is replaced before it does", async () => {
  const login = new Login("player");
  login.save({ ...server.tokens(), expires_in: 30 }, "Ada");
  await login.call(anyCall);
  expect(server.refreshes()).toBe(1);
  expect(login.stored?.access_token).toBe("access-1");
  expect(login.stored?.name).toBe("Ada");
});

test("a 401 is answered with fresh tokens, once, and the call is made again", async () => {
  const login = new Login("host");
  login.save({ ...server.tokens(), access_token: "access-of-another-key" }, "Ada");
  await expect(login.call(anyCall)).resolves.toEqual({ ok: true });
  expect(server.refreshes()).toBe(1);
});

test("many calls at once refresh once", async () => {
  const login = new Login("player");
  login.save({ ...server.tokens(), expires_in: 30 }, "Ada");
  await Promise.all(Array.from({ length: 8 }, () => login.call(anyCall)));
  expect(server.refreshes()).toBe(1);
});

test("two tabs at once, without navigator.locks, never use a refresh token twice", async () => {
  const tabs = [new Login("player"), new Login("player"), new Login("player")];
  tabs[0]?.save({ ...server.tokens(), expires_in: 30 }, "Ada");
  await Promise.all(tabs.map((tab) => tab.call(anyCall)));
  expect(server.refreshes()).toBe(1);
  expect(server.reused).toEqual([]);
});

test("a refused refresh ends the login, and says so", async () => {
  const login = new Login("host");
  login.save({ ...server.tokens(), expires_in: 30 }, "Ada");
  const lapsed = vi.fn();
  login.onLapse = lapsed;
  server.revoke();
  await expect(login.call(anyCall)).rejects.toMatchObject({ code: "login_lapsed", status: 401 });
  expect(login.stored).toBeNull();
  expect(lapsed).toHaveBeenCalledOnce();
});

test("a refresh that does not arrive keeps the login", async () => {
  const login = new Login("host");
  login.save({ ...server.tokens(), expires_in: 30 }, "Ada");
  server.goDown();
  await expect(login.call(anyCall)).rejects.toMatchObject({ code: "server_unreachable" });
  expect(login.stored).not.toBeNull();
});

test("player and host are two logins in one browser", () => {
  const player = new Login("player");
  const host = new Login("host");
  player.save(server.tokens(), "Ada");
  expect(host.stored).toBeNull();
  host.save(server.tokens(), "Host");
  player.forget();
  expect(host.stored?.name).toBe("Host");
});

test("lifetimes count on this device's clock", () => {
  vi.useFakeTimers({ now: 5 * MINUTE_MS });
  const login = new Login("player");
  login.save(server.tokens(), "Ada");
  expect(login.stored?.expires_at).toBe(20 * MINUTE_MS);
});
