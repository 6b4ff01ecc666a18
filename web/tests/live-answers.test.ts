import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { LiveGame } from "../src/lib/live-game.svelte.ts";
import { player } from "../src/lib/login.ts";
import type { AnswerBody, MyResult } from "../src/lib/messages.ts";
import { PendingAnswer } from "../src/lib/pending-answer.ts";
import { LiveAnswers } from "../src/player/live/live-answers.svelte.ts";
import { resultOf } from "./game.ts";
import { memoryStorage } from "./memory-storage.ts";

/** The game as far as answers know it. */
class Room {
  readonly seat = { quizSessionId: "s" };
  result: MyResult | null = null;
  refreshed = 0;
  readonly refusals: string[] = [];
  refresh(): void {
    this.refreshed++;
  }
  refused(code: string): void {
    this.refusals.push(code);
  }
}

const held = { participant_answer_id: "p", correct: null, score: null, receipt: null };
const reply = (status: number, body: object) => new Response(JSON.stringify(body), { status });
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
let sent: AnswerBody[];
let answering: () => Response;
let room: Room;

const opened = () => new LiveAnswers(room as unknown as LiveGame, new PendingAnswer("s", "ada"));

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("localStorage", memoryStorage());
  sent = [];
  answering = () => reply(200, held);
  room = new Room();
  vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
    sent.push(JSON.parse(String(init.body)) as AnswerBody);
    return answering();
  });
  const tokens = { user_id: "ada", access_token: "a", refresh_token: "r", expires_in: 900 };
  player.save({ ...tokens, token_type: "Bearer" }, "Ada");
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("an answer is locked in when the server has it, and nothing is said of it", async () => {
  const answers = opened();
  const giving = answers.answer("one", 1);
  expect(answers.of("one")).toEqual({ is: "sending", answer: 1, failures: 0 });
  await giving;
  expect(answers.of("one")).toEqual({ is: "taken", answer: 1 });
  expect(answers.of("two")).toEqual({ is: "nothing", refusal: null });
});

test("a second tap changes nothing", async () => {
  const answers = opened();
  await Promise.all([answers.answer("one", 1), answers.answer("one", 0)]);
  await answers.answer("one", 0);
  expect(sent.map(({ answer }) => answer)).toEqual([1]);
});

test("an answer sent into an outage is sent until it is taken, under one answer_id", async () => {
  const answers = opened();
  answering = () => reply(503, { code: "unavailable" });
  const giving = answers.answer("one", 1);
  await pass(4_000);
  expect(answers.of("one").is).toBe("sending");
  answering = () => reply(200, held);
  await pass(20_000);
  await giving;
  expect(answers.of("one").is).toBe("taken");
  expect(sent.length).toBeGreaterThan(1);
  expect(new Set(sent.map((body) => body.answer_id)).size).toBe(1);
});

test("an answer on its way when the page went is sent again after, under the same answer_id", async () => {
  const before = opened();
  answering = () => reply(503, { code: "unavailable" });
  void before.answer("one", 1);
  await pass(10);
  before.close();
  answering = () => reply(200, held);
  const after = opened();
  await after.resume();
  expect(after.of("one")).toEqual({ is: "taken", answer: 1 });
  expect(new Set(sent.map((body) => body.answer_id)).size).toBe(1);
  await opened().resume();
  expect(sent).toHaveLength(2);
});

test("an answer the server already has is shown after a reload", () => {
  room.result = resultOf(5, { answered: { answer: 0, correct: null, score: null } });
  expect(opened().of("one")).toEqual({ is: "taken", answer: 0 });
  expect(opened().of("two").is).toBe("nothing");
});

test("an answer after the close is not scored to anything, and not sent again", async () => {
  const answers = opened();
  answering = () => reply(400, { code: "question_closed" });
  await answers.answer("one", 1);
  await opened().resume();
  expect(answers.of("one")).toEqual({ is: "late" });
  expect(sent).toHaveLength(1);
  expect(room.refreshed).toBe(1);
});

test("an answer into a pause says why it was not taken, and may be given again", async () => {
  const answers = opened();
  answering = () => reply(400, { code: "question_not_open" });
  await answers.answer("one", 1);
  expect(answers.of("one")).toMatchObject({ is: "nothing", refusal: { code: "question_not_open" } });
  answering = () => reply(200, held);
  await answers.answer("one", 1);
  expect(answers.of("one").is).toBe("taken");
});

test("an answer given on another device is the one that counts", async () => {
  const answers = opened();
  answering = () => reply(400, { code: "question_already_answered" });
  await answers.answer("one", 1);
  expect(answers.of("one")).toEqual({ is: "taken", answer: null });
  room.result = resultOf(5, { answered: { answer: 0, correct: null, score: null } });
  expect(answers.of("one")).toEqual({ is: "taken", answer: 0 });
});

test("an answer to the next question gives up on one still on its way to the last", async () => {
  const answers = opened();
  answering = () => reply(503, { code: "unavailable" });
  void answers.answer("one", 1);
  await pass(100);
  answering = () => reply(200, held);
  await answers.answer("two", 0);
  await pass(60_000);
  expect(sent.map(({ question_id }) => question_id)).toEqual(["one", "two"]);
  expect(answers.of("two").is).toBe("taken");
});

test("a player who was removed, or a login that is gone, is told to the screen", async () => {
  const answers = opened();
  answering = () => reply(403, { code: "not_joined" });
  await answers.answer("one", 1);
  expect(room.refusals).toEqual(["not_joined"]);
  const lapses = vi.fn<() => void>();
  answers.onLapse = lapses;
  player.forget();
  await answers.answer("two", 1);
  expect(lapses).toHaveBeenCalledOnce();
});
