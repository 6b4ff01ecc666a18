import { expect, test } from "vitest";
import { moved, orderOf } from "../src/lib/order.ts";

test("items begin as they came, or as they were given before a reload", () => {
  expect(orderOf(3, null)).toEqual([0, 1, 2]);
  expect(orderOf(3, [2, 0, 1])).toEqual([2, 0, 1]);
});

test("an answer that does not name each item once is none", () => {
  for (const given of [[0, 1], [0, 0, 1], [1, 2, 3], 1, "210"]) expect(orderOf(3, given)).toEqual([0, 1, 2]);
});

test("an item moves by one place, and at an end it stays", () => {
  expect(moved([0, 1, 2], 2, -1)).toEqual([0, 2, 1]);
  expect(moved([0, 1, 2], 0, 1)).toEqual([1, 0, 2]);
  expect(moved([0, 1, 2], 0, -1)).toEqual([0, 1, 2]);
  expect(moved([0, 1, 2], 2, 1)).toEqual([0, 1, 2]);
});
