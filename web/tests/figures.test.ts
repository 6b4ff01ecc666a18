import { describe, expect, test } from "vitest";
import {
  binsOf,
  byHardness,
  clockText,
  coursesOf,
  moved,
  roundUp,
  shareRight,
} from "../src/host/results/figures.ts";
import type { BoardMoment, QuestionResults, Row } from "../src/lib/messages.ts";
import { nameIn } from "../src/lib/request.ts";

const question = (id: string, answered: number, right: number | null): QuestionResults => ({
  question_id: id,
  position: 1,
  type: "choice",
  prompt: id,
  right_answer: null,
  points: 100,
  time_limit_ms: null,
  asked: true,
  answered,
  right,
  share_right: right === null || answered === 0 ? null : right / answered,
  median_ms: null,
  mean_ms: null,
  distribution: [],
});

describe("binsOf", () => {
  test("every score is in one of at most ten bins of one round width", () => {
    const scores = [0, 99, 100, 450, 999, 1000];
    const bins = binsOf(scores);
    expect(bins.length).toBeLessThanOrEqual(10);
    expect(bins[0]).toEqual({ from: 0, to: 199, count: 3 });
    expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(scores.length);
    expect(bins.at(-1)?.to).toBeGreaterThanOrEqual(1000);
  });

  test("nobody, and nobody with points", () => {
    expect(binsOf([])).toEqual([]);
    expect(binsOf([0, 0])).toEqual([{ from: 0, to: 0, count: 2 }]);
  });

  test.each([
    [0.1, 1],
    [1, 1],
    [1.5, 2],
    [3, 5],
    [70, 100],
    [100, 100],
    [101, 200],
  ])("%d is rounded up to %d", (value, rounded) => {
    expect(roundUp(value)).toBe(rounded);
  });
});

test("the share of right answers is that of all answers, polls aside", () => {
  expect(shareRight([question("a", 3, 3), question("b", 1, 0), question("poll", 4, null)])).toBe(0.75);
  expect(shareRight([question("poll", 4, null)])).toBeNull();
});

test("the hardest come first, those without right answers last, in their order", () => {
  const questions = ["a", "poll", "b", "unasked"].map((id) => question(id, 1, 0));
  const ids = byHardness(questions, ["b", "a"]).map(({ question_id }) => question_id);
  expect(ids).toEqual(["b", "a", "poll", "unasked"]);
});

const row = (id: string, rank: number): Row => ({
  quiz_session_participant_id: id,
  name: id,
  rank,
  score: 1,
});

test("a course begins with the first answer and ends at the last place", () => {
  const moments: BoardMoment[] = [
    { at_ms: 0, question_index: 0, rows: [row("ada", 1)] },
    { at_ms: 9, question_index: 1, rows: [row("bob", 1), row("ada", 2)] },
  ];
  expect(coursesOf(moments)).toEqual([
    { id: "bob", name: "bob", places: [null, 0], rank: 1 },
    { id: "ada", name: "ada", places: [0, 1], rank: 2 },
  ]);
  expect(coursesOf([])).toEqual([]);
});

test("keys move within the table and stay in it", () => {
  const from = { row: 1, column: 1 };
  expect(moved(from, "ArrowUp", 3, 4)).toEqual({ row: 0, column: 1 });
  expect(moved(from, "PageDown", 3, 4)).toEqual({ row: 2, column: 1 });
  expect(moved(from, "End", 3, 4)).toEqual({ row: 1, column: 3 });
  expect(moved({ row: 0, column: 0 }, "ArrowLeft", 3, 4)).toEqual({ row: 0, column: 0 });
  expect(moved(from, "a", 3, 4)).toBeNull();
});

test("times as clocks show them", () => {
  expect([0, 59_999, 65_000, 3_600_000].map(clockText)).toEqual(["0:00", "0:59", "1:05", "1:00:00"]);
});

test("a file has the name that the server gave it", () => {
  const header = "attachment; filename=\"Ubung.csv\"; filename*=UTF-8''%C3%9Cbung%20%F0%9F%8E%89.csv";
  expect(nameIn(header)).toBe("Übung 🎉.csv");
  expect(nameIn("")).toBe("results");
});
