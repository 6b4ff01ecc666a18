import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LiveSession } from "../src/lib/live-session.svelte.ts";
import { Login } from "../src/lib/login.ts";
import type { LeaderboardUpdating, Row } from "../src/lib/messages.ts";
import type { QuizSocket } from "../src/lib/socket.ts";
import { FakeSocket } from "./fake-socket.ts";

const ME = "me";
const row = (id: string, rank: number, score: number): Row => ({
  rank,
  quiz_session_participant_id: id,
  name: id,
  score,
});
const message = (epoch: string, version: number, rows: Row[] = []): LeaderboardUpdating => ({
  quiz_session_id: "s",
  epoch,
  version,
  participants: rows.length,
  rows,
});

let socket: FakeSocket;
function sessionOf(participantId: string | null): LiveSession {
  const seat = { quizSessionId: "s", login: new Login("player"), participantId };
  return new LiveSession(seat, () => socket as unknown as QuizSocket);
}
const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
  socket = new FakeSocket();
  socket.answer = () => message("e", 1);
  vi.stubGlobal("fetch", async () => new Response(JSON.stringify({ answer_count: 7 })));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the board", () => {
  test("comes as a snapshot at each connect, because what was said meanwhile was missed", async () => {
    const live = sessionOf(null);
    socket.connect();
    await settle();
    expect(live.board?.version).toBe(1);
    expect(live.isLive).toBe(true);

    socket.drop();
    expect(live.isLive).toBe(false);
    socket.answer = () => message("e", 9);
    socket.connect();
    await settle();
    expect(live.board?.version).toBe(9);
    expect(socket.asked).toEqual(["enter_session", "enter_session"]);
  });

  test("moves on with newer messages and stays with older ones", async () => {
    const live = sessionOf(null);
    socket.connect();
    await settle();
    socket.say("leaderboard_updating", message("e", 5));
    socket.say("leaderboard_updating", message("e", 4));
    expect(live.board?.version).toBe(5);
  });

  test("is asked for anew when the epoch changes", async () => {
    const live = sessionOf(null);
    socket.connect();
    await settle();
    socket.answer = () => message("f", 2);
    socket.say("leaderboard_updating", message("f", 3));
    await settle();
    expect(live.board).toMatchObject({ epoch: "f", version: 3 });
  });

  test("is asked for once more when the epoch changed while a snapshot was under way", async () => {
    const live = sessionOf(null);
    socket.answer = () => {
      // The board is built anew just after this snapshot was read.
      if (socket.asked.length === 1) socket.say("leaderboard_updating", message("f", 1));
      return message(socket.asked.length === 1 ? "e" : "f", 1);
    };
    socket.connect();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(live.board?.epoch).toBe("f");
  });

  test("takes nothing from another quiz session", async () => {
    const live = sessionOf(null);
    socket.connect();
    await settle();
    socket.say("leaderboard_updating", { ...message("e", 5), quiz_session_id: "another" });
    expect(live.board?.version).toBe(1);
  });
});

describe("the own row", () => {
  test("is read off the board while it is there", async () => {
    const live = sessionOf(ME);
    socket.answer = () => message("e", 1, [row(ME, 1, 100)]);
    socket.connect();
    await settle();
    socket.say("leaderboard_updating", message("e", 2, [row("bo", 1, 300), row(ME, 2, 200)]));
    expect(live.me).toMatchObject({ rank: 2, score: 200 });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(socket.asked).not.toContain("get_leaderboard");
  });

  test("is asked for, and not at every message, when it is further down", async () => {
    const live = sessionOf(ME);
    socket.answer = () => ({ ...message("e", 1), me: row(ME, 40, 100) });
    socket.connect();
    await settle();
    expect(live.me?.rank).toBe(40);
    for (let version = 2; version < 102; version++) {
      socket.say("leaderboard_updating", message("e", version));
      await vi.advanceTimersByTimeAsync(30);
    }
    await vi.advanceTimersByTimeAsync(10_000);
    const asked = socket.asked.filter((name) => name === "get_leaderboard");
    expect(asked.length).toBeGreaterThanOrEqual(1);
    expect(asked.length).toBeLessThanOrEqual(3);
  });
});

test("a room that may not be entered is not knocked at for ever", async () => {
  const live = sessionOf(null);
  socket.refusal = "not_joined";
  socket.connect();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(live.refusal?.code).toBe("not_joined");
  expect(socket.asked).toEqual(["enter_session"]);
});

test("a room that cannot be entered just now is tried again", async () => {
  const live = sessionOf(null);
  socket.refusal = "unavailable";
  socket.connect();
  await settle();
  socket.refusal = null;
  await vi.advanceTimersByTimeAsync(5_000);
  expect(live.isLive).toBe(true);
});

test("a host's count of answers follows what was counted", async () => {
  const live = sessionOf(null);
  socket.connect();
  await settle();
  await vi.advanceTimersByTimeAsync(5_000);
  const counted = vi.fn(async () => new Response(JSON.stringify({ answer_count: 8 })));
  vi.stubGlobal("fetch", counted);
  for (let i = 0; i < 100; i++) {
    socket.say("score_update", { quiz_session_id: "s", changes: [], more: 0 });
    await vi.advanceTimersByTimeAsync(30);
  }
  await vi.advanceTimersByTimeAsync(5_000);
  expect(live.quizSession?.answer_count).toBe(8);
  expect(counted.mock.calls.length).toBeLessThanOrEqual(3);
});

/** As the server counts: what it read is told again for a second. */
function countingServer(): { answer_count: number } {
  const now = { answer_count: 0 };
  let remembered = { at: Number.NEGATIVE_INFINITY, body: "" };
  vi.stubGlobal("fetch", async () => {
    if (Date.now() - remembered.at >= 1_000) remembered = { at: Date.now(), body: JSON.stringify(now) };
    return new Response(remembered.body);
  });
  return now;
}

test.each(["before a host entered", "after that"])("an answer is counted that came just %s", async (when) => {
  const server = countingServer();
  await fetch("/");
  if (when === "before a host entered") server.answer_count = 1;
  const live = sessionOf(null);
  socket.connect();
  await vi.advanceTimersByTimeAsync(10);
  if (when === "after that") {
    server.answer_count = 1;
    socket.say("score_update", { quiz_session_id: "s", changes: [], more: 0 });
  }
  await vi.advanceTimersByTimeAsync(10_000);
  expect(live.quizSession?.answer_count).toBe(1);
});

test("no phone asks how many answered", async () => {
  sessionOf(ME);
  socket.connect();
  await vi.advanceTimersByTimeAsync(5_000);
  const counted = vi.fn();
  vi.stubGlobal("fetch", counted);
  socket.say("score_update", { quiz_session_id: "s", changes: [], more: 0 });
  socket.say("session_update", { quiz_session_id: "s", state: "open", participant_count: 3 });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(counted).not.toHaveBeenCalled();
});

test("the end of the quiz session is heard at once", async () => {
  const live = sessionOf(ME);
  socket.connect();
  await settle();
  socket.say("session_update", { quiz_session_id: "s", state: "finished", participant_count: 3 });
  expect(live.quizSession).toMatchObject({ state: "finished", participant_count: 3 });
});

test("a quiz session that has ended is not opened by what was overtaken on the way", async () => {
  const live = sessionOf(null);
  socket.connect();
  await settle();
  socket.say("session_update", { quiz_session_id: "s", state: "finished", participant_count: 3 });
  socket.say("session_update", { quiz_session_id: "s", state: "open", participant_count: 2 });
  expect(live.quizSession).toMatchObject({ state: "finished", participant_count: 3 });

  vi.stubGlobal("fetch", async () => new Response(JSON.stringify({ state: "open", participant_count: 2 })));
  await vi.advanceTimersByTimeAsync(5_000);
  expect(live.quizSession).toMatchObject({ state: "finished", participant_count: 3 });
});
