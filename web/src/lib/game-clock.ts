import type { Game } from "./messages.ts";

/**
 * When this screen expects what comes next, on its own `performance.now()`. A game travels with
 * durations, so a clock set wrong changes nothing; a paused game has no deadlines.
 */
export interface Deadlines {
  opensAt: number | null;
  closesAt: number | null;
  nextAt: number | null;
}

export const noDeadlines: Deadlines = { opensAt: null, closesAt: null, nextAt: null };

export function deadlinesOf(game: Game, arrivedAt: number): Deadlines {
  if (game.paused) return noDeadlines;
  const at = (ms: number | null) => (ms === null ? null : arrivedAt + ms);
  return {
    opensAt: at(game.opens_in_ms),
    closesAt: at(game.closes_in_ms),
    nextAt: at(game.next_in_ms),
  };
}

/** Of two readings of the same step, the one that was shorter on its way: the earlier. */
export function earlierOf(one: Deadlines, other: Deadlines): Deadlines {
  return {
    opensAt: earlier(one.opensAt, other.opensAt),
    closesAt: earlier(one.closesAt, other.closesAt),
    nextAt: earlier(one.nextAt, other.nextAt),
  };
}

/**
 * When the phase ends by itself; null if only the host ends it. A question ends when the last player
 * who has extra time may no longer answer: that is after it closes for the others.
 */
export const endOf = ({ opensAt, closesAt, nextAt }: Deadlines): number | null =>
  nextAt ?? closesAt ?? opensAt;

export const leftMs = (at: number, now: number) => Math.max(0, at - now);

const earlier = (one: number | null, other: number | null) =>
  one === null || other === null ? other : Math.min(one, other);
