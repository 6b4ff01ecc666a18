import type { LeaderboardUpdating, Row, Snapshot } from "./messages.ts";

/**
 * The rules that keep a board on a screen equal to the server's, whatever order messages come in.
 *
 * Within an epoch a higher version holds everything a lower one held: older is dropped, newer is
 * shown, and gaps do not matter. A new epoch means the board was built anew and versions cannot be
 * compared: only a snapshot, asked for after that was known, may start it.
 */
export interface Board {
  epoch: string;
  version: number;
  participants: number;
  rows: Row[];
}

export type Verdict =
  | { is: "older" }
  | { is: "newer"; board: Board }
  | { is: "other_epoch" };

export function judge(shown: Board | null, message: LeaderboardUpdating): Verdict {
  if (shown === null || shown.epoch !== message.epoch) return { is: "other_epoch" };
  if (message.version <= shown.version) return { is: "older" };
  return { is: "newer", board: boardOf(message) };
}

/**
 * The board to show once a snapshot is here. `held` is the newest message that came from an epoch
 * not yet shown: it may be newer than the snapshot that was under way at the time.
 */
export function adopt(
  shown: Board | null,
  snapshot: Snapshot,
  held: LeaderboardUpdating | null,
): Board {
  const fresh = boardOf(snapshot);
  if (held !== null && held.epoch === fresh.epoch && held.version > fresh.version) {
    return boardOf(held);
  }
  if (shown !== null && shown.epoch === fresh.epoch && shown.version > fresh.version) return shown;
  return fresh;
}

/** Of two messages to hold, the one to keep: the later of one epoch, or the later to arrive. */
export function laterOf(
  held: LeaderboardUpdating | null,
  message: LeaderboardUpdating,
): LeaderboardUpdating {
  if (held === null || held.epoch !== message.epoch) return message;
  return held.version > message.version ? held : message;
}

/** What each participant gained between two boards; who was on neither, or gained nothing, is absent. */
export function gains(before: Row[], after: Row[]): Map<string, number> {
  const was = new Map(before.map((row) => [row.quiz_session_participant_id, row.score]));
  const gained = new Map<string, number>();
  for (const { quiz_session_participant_id: id, score } of after) {
    const earlier = was.get(id);
    if (earlier !== undefined && earlier !== score) gained.set(id, score - earlier);
  }
  return gained;
}

/** Ranks held by more than one row: places that are shared. */
export function sharedRanks(rows: Row[]): Set<number> {
  const seen = new Set<number>();
  const shared = new Set<number>();
  for (const { rank } of rows) (seen.has(rank) ? shared : seen).add(rank);
  return shared;
}

function boardOf({ epoch, version, participants, rows }: LeaderboardUpdating): Board {
  return { epoch, version, participants, rows };
}
