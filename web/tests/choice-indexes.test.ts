import { expect, test } from "vitest";
import { answerAt, choiceIndexes } from "../src/lib/choice-indexes.ts";

test("an answer of each type stands for its places on the screen", () => {
  expect([...choiceIndexes("choice", 2)]).toEqual([2]);
  expect([...choiceIndexes("multi_choice", [0, 3])]).toEqual([0, 3]);
  expect([...choiceIndexes("true_false", true)]).toEqual([0]);
  expect([...choiceIndexes("true_false", false)]).toEqual([1]);
});

test("a typed answer, and no answer, stand for none", () => {
  expect(choiceIndexes("typed", ["x"]).size).toBe(0);
  expect(choiceIndexes("choice", null).size).toBe(0);
});

test("a tap on a place answers what stands there", () => {
  expect(answerAt("choice", 3)).toBe(3);
  expect(answerAt("true_false", 0)).toBe(true);
  expect(answerAt("true_false", 1)).toBe(false);
});
