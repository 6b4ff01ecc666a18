import { expect, test } from "vitest";
import { parseNumber, signTurned } from "../src/lib/number-input.ts";

test.each([
  ["12", 12],
  [" 1 500 ", 1500],
  ["0.5", 0.5],
  [".5", 0.5],
  ["5.", 5],
  ["-3", -3],
  ["−3", -3],
  ["+7", 7],
  ["1,5", 1.5],
  ["1,500", 1500],
  ["0,500", 0.5],
  ["1,50", 1.5],
  ["1,000,000.25", 1000000.25],
  ["1.000.000,25", 1000000.25],
  ["1.000.000", 1000000],
  ["1.500", 1.5],
  ["1’500.5", 1500.5],
])("%s is read as a number by who writes 1.5", (text, number) => {
  expect(parseNumber(text, ".")).toBe(number);
});

test("whoever writes 1,5 parts thousands by points", () => {
  expect(parseNumber("1.500", ",")).toBe(1500);
  expect(parseNumber("1,500", ",")).toBe(1.5);
  expect(parseNumber("36,6", ",")).toBe(36.6);
  expect(parseNumber("36.6", ",")).toBe(36.6);
});

test.each(["", " ", "-", ".", "one", "1e5", "1,2,3", "1..2", "--1", "0x10", "Infinity", "1000000000000001", "1.2.3,4,5"])(
  "%j is none",
  (text) => {
    expect(parseNumber(text, ".")).toBeNull();
  },
);

test("the sign turns and turns back", () => {
  expect(signTurned("3")).toBe("-3");
  expect(signTurned(" −3")).toBe("3");
  expect(signTurned(signTurned(""))).toBe("");
});
