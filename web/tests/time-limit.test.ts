import { expect, test } from "vitest";
import type { Question } from "../src/lib/messages.ts";
import { TimeLimits } from "../src/lib/time-limit.ts";
import { memoryStorage } from "./memory-storage.ts";

const question = (time_limit_ms: number | null): Question => ({
  question_id: "q",
  type: "typed",
  prompt: "",
  choices: null,
  points: 100,
  time_limit_ms,
  answered: null,
});

test("time runs from the first showing, and a reload buys none", () => {
  const storage = memoryStorage();
  let now = 1_000;
  const limits = () => new TimeLimits("s", "ada", storage, () => now);
  expect(limits().leftMs(question(20_000))).toBe(20_000);
  limits().show(question(20_000));
  now += 8_000;
  limits().show(question(20_000));
  expect(limits().leftMs(question(20_000))).toBe(12_000);
  now += 60_000;
  expect(limits().leftMs(question(20_000))).toBe(0);
});

test("a clock that was set back gives no more than the limit", () => {
  const storage = memoryStorage();
  let now = 100_000;
  const limits = new TimeLimits("s", "ada", storage, () => now);
  limits.show(question(20_000));
  now = 0;
  expect(limits.leftMs(question(20_000))).toBe(20_000);
});

test("without a limit there is nothing to run out", () => {
  const limits = new TimeLimits("s", "ada", memoryStorage());
  limits.show(question(null));
  expect(limits.leftMs(question(null))).toBeNull();
});
