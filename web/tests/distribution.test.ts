import { describe, expect, test } from "vitest";
import { barsOf, rightTexts } from "../src/lib/distribution.ts";
import { cloudOf } from "../src/lib/word-cloud.ts";
import { questionOf, revealOf } from "./game.ts";

const TRUTH: [string, string] = ["True", "False"];

describe("bars", () => {
  test("one for each choice, the most frequent whole, the right one marked", () => {
    const reveal = revealOf({
      right_answer: 0,
      answered: 12,
      distribution: [{ answer: 0, count: 3 }, { answer: 1, count: 9 }],
    });
    expect(barsOf(questionOf(), reveal, TRUTH)).toEqual([
      { index: 0, text: "Lima", count: 3, length: 3 / 9, percent: 25, verdict: "right" },
      { index: 1, text: "Quito", count: 9, length: 1, percent: 75, verdict: "wrong" },
    ]);
  });

  test("of several right choices each is marked", () => {
    const reveal = revealOf({ right_answer: [0, 1] });
    const bars = barsOf(questionOf({ type: "multi_choice" }), reveal, TRUTH);
    expect(bars.map(({ verdict }) => verdict)).toEqual(["right", "right"]);
  });

  test("true comes first, and false is an answer as well", () => {
    const reveal = revealOf({
      right_answer: false,
      distribution: [{ answer: true, count: 1 }, { answer: false, count: 1 }],
    });
    const bars = barsOf(questionOf({ type: "true_false", choices: null }), reveal, TRUTH);
    expect(bars.map(({ text, verdict }) => [text, verdict])).toEqual([
      ["True", "wrong"],
      ["False", "right"],
    ]);
  });

  test("typed answers are right as they are graded: whatever their case and blanks", () => {
    const reveal = revealOf({
      right_answer: ["Buenos Aires"],
      distribution: [{ answer: " buenos  aires", count: 2 }, { answer: "Lima", count: 1 }],
    });
    const bars = barsOf(questionOf({ type: "typed", choices: null }), reveal, TRUTH);
    expect(bars.map(({ index, verdict }) => [index, verdict])).toEqual([
      [null, "right"],
      [null, "wrong"],
    ]);
  });

  test("a number beside the right one may be within the tolerance: it is not called wrong", () => {
    const reveal = revealOf({
      right_answer: 206,
      distribution: [{ answer: "206", count: 2 }, { answer: "207", count: 1 }],
    });
    const bars = barsOf(questionOf({ type: "numeric", choices: null }), reveal, TRUTH);
    expect(bars.map(({ verdict }) => verdict)).toEqual(["right", "unknown"]);
  });

  test("in a poll nothing is right or wrong", () => {
    const bars = barsOf(questionOf({ type: "poll" }), revealOf({ right_answer: null }), TRUTH);
    expect(bars.map(({ verdict }) => verdict)).toEqual(["unknown", "unknown"]);
  });

  test("without an answer all are empty, and no share is a division by zero", () => {
    const reveal = revealOf({ answered: 0, distribution: [{ answer: 0, count: 0 }] });
    expect(barsOf(questionOf(), reveal, TRUTH)[0]).toMatchObject({ length: 0, percent: 0 });
  });
});

describe("what was right, in words", () => {
  test("by type", () => {
    const order = questionOf({ type: "order", choices: ["Rome", "Oslo", "Cairo"] });
    expect(rightTexts(order, [1, 0, 2], TRUTH)).toEqual(["Oslo", "Rome", "Cairo"]);
    expect(rightTexts(questionOf({ type: "numeric" }), 206, TRUTH)).toEqual(["206"]);
    expect(rightTexts(questionOf({ type: "typed" }), ["Lima", "LIM"], TRUTH)).toEqual(["Lima", "LIM"]);
    expect(rightTexts(questionOf({ type: "true_false" }), false, TRUTH)).toEqual(["False"]);
    expect(rightTexts(questionOf({ type: "poll" }), null, TRUTH)).toEqual([]);
  });
});

describe("the word cloud", () => {
  const words = [
    { answer: "fun", count: 5 },
    { answer: "fast", count: 3 },
    { answer: "loud", count: 1 },
  ];

  test("has its most frequent word in the middle", () => {
    expect(cloudOf(words).map(({ text }) => text)).toEqual(["fast", "fun", "loud"]);
  });

  test("weighs from the least to the most frequent; all alike are of middle size", () => {
    expect(cloudOf(words).map(({ weight }) => weight)).toEqual([0.5, 1, 0]);
    expect(cloudOf([{ answer: "one", count: 2 }])[0]?.weight).toBe(0.5);
    expect(cloudOf([])).toEqual([]);
  });
});
