import { describe, expect, test } from "vitest";
import { ownTime } from "../src/player/live/own-time.ts";
import { gameOf, openGame, resultOf } from "./game.ts";

const live = (leftMs: number, percent?: number, nextInMs = leftMs + 250) => ({
  game: openGame(5),
  result: percent === undefined ? null : resultOf(5, { extra_time_percent: percent }),
  closesInMs: Math.max(0, leftMs),
  nextInMs: Math.max(0, nextInMs),
  closesLaterInMs: (extraMs: number) => Math.max(0, leftMs + extraMs),
});

describe("a player's own time", () => {
  test("is the question's", () => {
    expect(ownTime(live(5_000, 0))).toEqual({ limitMs: 20_000, leftMs: 5_000, isUp: false, isOver: false });
    expect(ownTime(live(0, 0))).toMatchObject({ leftMs: 0, isUp: true });
  });

  test("is longer with extra time, also after the question has closed for the others", () => {
    expect(ownTime(live(5_000, 50))).toEqual({ limitMs: 30_000, leftMs: 15_000, isUp: false, isOver: false });
    expect(ownTime(live(-4_000, 50))).toMatchObject({ leftMs: 6_000, isUp: false });
    expect(ownTime(live(-10_000, 50))).toMatchObject({ isUp: true });
  });

  test("is not over while it is not known to be, and anybody may still answer", () => {
    expect(ownTime(live(0, undefined, 8_000))).toMatchObject({ leftMs: 0, isUp: false });
    expect(ownTime(live(0, undefined, 200))).toMatchObject({ isUp: true });
  });

  test("may be up before that of others", () => {
    expect(ownTime(live(0, 0, 8_000))).toMatchObject({ isUp: true, isOver: false });
  });

  test("is never more than the whole bar, where the host has added time", () => {
    expect(ownTime(live(25_000, 0))).toMatchObject({ limitMs: 25_000, leftMs: 25_000 });
  });

  test("is nothing where no question is open", () => {
    expect(ownTime({ ...live(5_000, 0), game: gameOf() })).toBeNull();
    expect(ownTime({ ...live(5_000, 0), closesInMs: null })).toBeNull();
  });
});
