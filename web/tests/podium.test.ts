import { describe, expect, test } from "vitest";
import type { Row } from "../src/lib/messages.ts";
import { asTheyStand, stepsOf } from "../src/lib/podium.ts";
import { rankedTeams } from "../src/lib/team-ranks.ts";

const row = (rank: number, name: string, score: number): Row => ({
  rank,
  quiz_session_participant_id: name,
  name,
  score,
});

const team = (name: string, score: number) => ({ rank: 0, team: name, score, players: 2 });

describe("the podium", () => {
  test("who shares a place shares a step, and the place after it is left out", () => {
    const steps = stepsOf([row(1, "Ann", 300), row(1, "Bob", 300), row(3, "Cem", 200), row(4, "Dee", 100)]);
    expect(steps).toEqual([
      { rank: 1, score: 300, names: ["Ann", "Bob"] },
      { rank: 3, score: 200, names: ["Cem"] },
    ]);
  });

  test("nobody stands on it for nothing", () => {
    expect(stepsOf([row(1, "Ann", 0), row(1, "Bob", 0)])).toEqual([]);
  });

  test("the best is in the middle", () => {
    const steps = stepsOf([row(1, "Ann", 3), row(2, "Bob", 2), row(3, "Cem", 1)]);
    expect(asTheyStand(steps).map(({ rank }) => rank)).toEqual([2, 1, 3]);
    expect(asTheyStand(steps.slice(0, 1)).map(({ rank }) => rank)).toEqual([1]);
  });
});

test("teams with equal scores share a place, and the next one skips", () => {
  const ranked = rankedTeams([team("Owls", 10), team("Pandas", 30), team("Whales", 30)]);
  expect(ranked.map(({ rank, isShared, row: { team: name } }) => [rank, isShared, name])).toEqual([
    [1, true, "Pandas"],
    [1, true, "Whales"],
    [3, false, "Owls"],
  ]);
});
