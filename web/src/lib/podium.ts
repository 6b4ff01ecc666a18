import type { Row } from "./messages.ts";

/** A step of the podium: everybody on it has the same rank. */
export interface Step {
  rank: number;
  score: number;
  names: string[];
}

/** The steps for ranks 1 to 3, best first. Who earned nothing stands on none. */
export function stepsOf(rows: readonly Row[]): Step[] {
  const steps: Step[] = [];
  for (const { rank, score, name } of rows) {
    if (rank > 3 || score <= 0) continue;
    const step = steps.find((each) => each.rank === rank);
    if (step) step.names.push(name);
    else steps.push({ rank, score, names: [name] });
  }
  return steps.sort((one, other) => one.rank - other.rank);
}

/** As steps stand on a stage: the best in the middle, the second on its left, the third on its right. */
export function asTheyStand(steps: readonly Step[]): Step[] {
  const [first, second, third] = steps;
  return [second, first, third].filter((step) => step !== undefined);
}
