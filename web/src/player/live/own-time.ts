import type { LiveGame } from "../../lib/live-game.svelte.ts";

export interface OwnTime {
  /** Of the whole window, for this player; never less than what is left. */
  limitMs: number;
  leftMs: number;
  isUp: boolean;
  /** Whether it is up for everybody, also for those who have extra time. */
  isOver: boolean;
}

/** From a question's close by the clock to the game's moving on, when nobody has extra time. */
const SETTLE_MS = 1_000;

/**
 * What is left of the open question's time for this player; null if it has none. The server decides:
 * what is given after that is refused, whatever this screen believed.
 */
export function ownTime(live: Clock): OwnTime | null {
  const { game, result, closesInMs, nextInMs } = live;
  const limitMs = game?.question?.time_limit_ms ?? null;
  if (closesInMs === null || limitMs === null || game?.phase !== "question") return null;
  const percent = result?.extra_time_percent;
  const isOver = nextInMs === null || nextInMs <= SETTLE_MS;
  // Not told yet whether this player has extra time: as long as anybody may answer, so may this one.
  if (percent === undefined) {
    const limit = Math.max(limitMs, closesInMs);
    return { limitMs: limit, leftMs: closesInMs, isUp: closesInMs === 0 && isOver, isOver };
  }
  const extraMs = (limitMs * percent) / 100;
  const leftMs = live.closesLaterInMs(extraMs) ?? 0;
  return { limitMs: Math.max(limitMs + extraMs, leftMs), leftMs, isUp: leftMs === 0, isOver };
}

type Clock = Pick<LiveGame, "game" | "result" | "closesInMs" | "nextInMs" | "closesLaterInMs">;
