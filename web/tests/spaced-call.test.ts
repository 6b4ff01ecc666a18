import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SpacedCall } from "../src/lib/spaced-call.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const spaced = (call: () => void, random = () => 0) =>
  new SpacedCall(call, { everyMs: 3_000, jitterMs: 1_500 }, random, () => Date.now());

test("a hundred asks in three seconds are two calls: the first, and one for the rest", () => {
  const call = vi.fn();
  const own = spaced(call);
  for (let i = 0; i < 100; i++) {
    own.ask();
    vi.advanceTimersByTime(30);
  }
  vi.advanceTimersByTime(10_000);
  expect(call).toHaveBeenCalledTimes(2);
});

test("jitter puts a call off, so that a thousand phones do not ask at once", () => {
  const call = vi.fn();
  spaced(call, () => 0.5).ask();
  vi.advanceTimersByTime(749);
  expect(call).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(call).toHaveBeenCalledOnce();
});

test("a call cancelled is not made", () => {
  const call = vi.fn();
  const own = spaced(call);
  own.ask();
  own.cancel();
  vi.advanceTimersByTime(10_000);
  expect(call).not.toHaveBeenCalled();
});

test("what lags behind is called for so much later, and at most that often", () => {
  const call = vi.fn();
  const counts = new SpacedCall(call, { everyMs: 0, afterMs: 1_500, jitterMs: 0 });
  counts.ask();
  vi.advanceTimersByTime(1_499);
  counts.ask();
  expect(call).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(call).toHaveBeenCalledOnce();
  counts.ask();
  vi.advanceTimersByTime(10_000);
  expect(call).toHaveBeenCalledTimes(2);
});
