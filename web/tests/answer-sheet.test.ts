import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { AnswerBody, Question } from "../src/lib/messages.ts";
import { player } from "../src/lib/login.ts";
import { AnswerSheet } from "../src/player/answer-sheet.svelte.ts";
import { memoryStorage } from "./memory-storage.ts";

const KEY: Record<string, number> = { one: 1, two: 0 };

/** The server's side of two questions: what it holds, and how it answers. */
class Ledger {
  readonly sent: AnswerBody[] = [];
  readonly answered = new Map<string, AnswerBody>();
  failWith: (() => Response) | null = null;
  state = "open";
  slides: string[] = [];

  readonly fetch = async (path: string, init: RequestInit): Promise<Response> => {
    if (path.endsWith("/questions")) return reply(200, this.sheet());
    const body = JSON.parse(String(init.body)) as AnswerBody;
    this.sent.push(body);
    if (this.failWith) return this.failWith();
    const had = this.answered.get(body.question_id);
    if (had && had.answer_id !== body.answer_id) {
      return reply(400, { code: "question_already_answered" });
    }
    if (this.state === "finished") return reply(400, { code: "session_finished" });
    this.answered.set(body.question_id, body);
    const correct = body.answer === KEY[body.question_id];
    const score = correct ? 100 : 0;
    return reply(200, { participant_answer_id: "p", correct, score, receipt: "tb1.x" });
  };

  sheet(): object {
    const me = { quiz_session_participant_id: "me", name: "Ada" };
    const questions: Question[] = Object.keys(KEY).map((id) => this.question(id));
    for (const slide of this.slides) {
      questions.unshift({ ...this.question(slide), type: "info", choices: null, time_limit_ms: 1000 });
    }
    return { quiz_session_id: "s", title: "T", language: "en", state: this.state, me, questions };
  }

  question(question_id: string): Question {
    const given = this.answered.get(question_id);
    const right_answer = KEY[question_id] ?? 0;
    const correct = given?.answer === right_answer;
    const score = correct ? 100 : 0;
    return {
      question_id,
      type: "choice",
      prompt: question_id,
      choices: ["a", "b"],
      points: 100,
      time_limit_ms: null,
      answered: given ? { answer: given.answer, correct, score, right_answer } : null,
    };
  }
}

const reply = (status: number, body: object) => new Response(JSON.stringify(body), { status });
let ledger: Ledger;

beforeEach(() => {
  ledger = new Ledger();
  vi.useFakeTimers();
  vi.stubGlobal("localStorage", memoryStorage());
  vi.stubGlobal("fetch", ledger.fetch);
  const tokens = { user_id: "ada", access_token: "a", refresh_token: "r", expires_in: 900 };
  player.save({ ...tokens, token_type: "Bearer" }, "Ada");
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function opened(): Promise<AnswerSheet> {
  const answers = new AnswerSheet("s");
  await answers.load();
  return answers;
}

test("asks the first question that is not answered, and after the last there are none", async () => {
  const answers = await opened();
  expect(answers.phase).toMatchObject({ is: "asking", question: { question_id: "one" } });
  await answers.answer(1);
  expect(answers.phase).toMatchObject({ is: "feedback", question: { answered: { score: 100 } } });
  answers.next();
  expect(answers.phase).toMatchObject({ is: "asking", question: { question_id: "two" } });
  await answers.answer(0);
  answers.next();
  expect(answers.phase).toMatchObject({ is: "done", wasLate: false });
  expect(answers.total).toBe(200);
});

test("a slide is read once, takes no time and no answer, and a reload does not bring it back", async () => {
  ledger.slides = ["break"];
  const answers = await opened();
  expect(answers.phase).toMatchObject({ is: "asking", question: { question_id: "break", type: "info" } });
  await vi.advanceTimersByTimeAsync(5_000);
  answers.goOn();
  expect(answers.phase).toMatchObject({ is: "asking", question: { question_id: "one" } });
  expect((await opened()).phase).toMatchObject({ is: "asking", question: { question_id: "one" } });
  expect(ledger.sent).toEqual([]);
});

test("a right answer that is explained fetches the explanation", async () => {
  const sheet = ledger.sheet.bind(ledger);
  ledger.sheet = () => {
    const read = sheet() as { questions: Question[] };
    const explained = read.questions.map((each) => ({
      ...each,
      explained: true,
      answered: each.answered && { ...each.answered, explanation: "Because." },
    }));
    return { ...read, questions: explained };
  };
  const answers = await opened();
  await answers.answer(1);
  await vi.advanceTimersByTimeAsync(0);
  expect(answers.phase).toMatchObject({
    is: "feedback",
    question: { answered: { correct: true, explanation: "Because." } },
  });
});

test("a wrong answer learns the right one", async () => {
  const answers = await opened();
  await answers.answer(0);
  await vi.advanceTimersByTimeAsync(0);
  expect(answers.phase).toMatchObject({
    is: "feedback",
    question: { answered: { correct: false, right_answer: 1 } },
  });
});

test("an answer sent into an outage is sent until it is taken, under one answer_id", async () => {
  const answers = await opened();
  ledger.failWith = () => reply(503, { code: "unavailable" });
  const sending = answers.answer(1);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(answers.phase).toMatchObject({ is: "sending", answer: 1 });
  ledger.failWith = null;
  await vi.advanceTimersByTimeAsync(20_000);
  await sending;
  expect(answers.phase.is).toBe("feedback");
  expect(ledger.sent.length).toBeGreaterThan(1);
  expect(new Set(ledger.sent.map((body) => body.answer_id)).size).toBe(1);
});

test("an answer not yet acknowledged is sent again after a reload, and counts once", async () => {
  const before = await opened();
  ledger.failWith = () => reply(503, { code: "unavailable" });
  void before.answer(1);
  await vi.advanceTimersByTimeAsync(10);
  before.close();
  ledger.failWith = null;
  const after = await opened();
  expect(after.phase).toMatchObject({ is: "feedback", question: { question_id: "one" } });
  expect(new Set(ledger.sent.map((body) => body.answer_id)).size).toBe(1);
});

test("a question answered on another device shows the answer that counts", async () => {
  const answers = await opened();
  const elsewhere = { quiz_session_id: "s", question_id: "one", answer: 0, answer_id: "other" };
  ledger.answered.set("one", elsewhere);
  await answers.answer(1);
  expect(answers.phase).toMatchObject({ is: "feedback", question: { answered: { answer: 0 } } });
});

test("an answer that came after the end says so", async () => {
  const answers = await opened();
  ledger.state = "finished";
  await answers.answer(1);
  expect(answers.phase).toEqual({ is: "done", wasLate: true });
});

test("an answer the server cannot take is asked for again", async () => {
  const answers = await opened();
  ledger.failWith = () => reply(400, { code: "answer_invalid" });
  await answers.answer(1);
  expect(answers.phase).toMatchObject({ is: "asking", wasRefused: true });
});

test("a login that is gone and a quiz session never joined are told apart", async () => {
  vi.stubGlobal("fetch", async () => reply(403, { code: "not_joined" }));
  expect((await opened()).phase.is).toBe("not_joined");
  player.forget();
  expect((await opened()).phase.is).toBe("lapsed");
});
