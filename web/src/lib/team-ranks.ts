import type { TeamRow } from "./messages.ts";

export interface RankedTeam {
  rank: number;
  isShared: boolean;
  row: TeamRow;
}

/** Teams, best first; equal scores share a place, and the next one skips. */
export function rankedTeams(rows: readonly TeamRow[]): RankedTeam[] {
  const best = [...rows].sort((one, other) => other.score - one.score);
  return best.map((row) => ({
    row,
    rank: 1 + rows.filter(({ score }) => score > row.score).length,
    isShared: rows.filter(({ score }) => score === row.score).length > 1,
  }));
}
