import { expect, test } from "vitest";
import { PendingAnswer } from "../src/lib/pending-answer.ts";
import { memoryStorage } from "./memory-storage.ts";

const body = { quiz_session_id: "s", question_id: "q", answer: 2, answer_id: "a" };

test("an answer outlives the page, under the same answer_id", () => {
  const storage = memoryStorage();
  new PendingAnswer("s", "ada", storage).keep(body);
  expect(new PendingAnswer("s", "ada", storage).kept).toEqual(body);
});

test("an acknowledged answer is gone", () => {
  const storage = memoryStorage();
  const pending = new PendingAnswer("s", "ada", storage);
  pending.keep(body);
  pending.settle();
  expect(pending.kept).toBeNull();
});

test("an answer belongs to its quiz session and its participant", () => {
  const storage = memoryStorage();
  new PendingAnswer("s", "ada", storage).keep(body);
  expect(new PendingAnswer("s", "bo", storage).kept).toBeNull();
  expect(new PendingAnswer("t", "ada", storage).kept).toBeNull();
});

test("a full storage does not keep an answer from being sent", () => {
  const storage = memoryStorage();
  storage.setItem = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  expect(() => new PendingAnswer("s", "ada", storage).keep(body)).not.toThrow();
});
