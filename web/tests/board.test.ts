import { describe, expect, test } from "vitest";
import { adopt, type Board, gains, judge, laterOf, sharedRanks } from "../src/lib/board.ts";
import type { LeaderboardUpdating, Row } from "../src/lib/messages.ts";

const row = (id: string, score: number, rank = 1): Row => ({
  rank,
  quiz_session_participant_id: id,
  name: id,
  score,
});
const message = (epoch: string, version: number, rows: Row[] = []): LeaderboardUpdating => ({
  quiz_session_id: "s",
  epoch,
  version,
  participants: rows.length,
  rows,
});
const board = (epoch: string, version: number, rows: Row[] = []): Board => ({
  epoch,
  version,
  participants: rows.length,
  rows,
});

describe("judge", () => {
  test("shows what is newer, even when versions were skipped", () => {
    const rows = [row("ada", 300)];
    expect(judge(board("e", 4), message("e", 9, rows))).toEqual({
      is: "newer",
      board: board("e", 9, rows),
    });
  });

  test("drops what is older, and what it already has", () => {
    expect(judge(board("e", 4), message("e", 3)).is).toBe("older");
    expect(judge(board("e", 4), message("e", 4)).is).toBe("older");
  });

  test("asks for a snapshot when the epoch changes, however low or high the version", () => {
    expect(judge(board("e", 4), message("f", 1)).is).toBe("other_epoch");
    expect(judge(board("e", 4), message("f", 400)).is).toBe("other_epoch");
  });

  test("asks for a snapshot before it has one", () => {
    expect(judge(null, message("e", 1)).is).toBe("other_epoch");
  });
});

describe("adopt", () => {
  test("a snapshot of another epoch replaces the board, also with a lower version", () => {
    expect(adopt(board("e", 90), message("f", 2), null)).toEqual(board("f", 2));
  });

  test("a snapshot overtaken by a message of its epoch does not turn the board back", () => {
    expect(adopt(board("e", 9), message("e", 7), null)).toEqual(board("e", 9));
  });

  test("a message that came while the snapshot was under way is not lost", () => {
    expect(adopt(board("e", 9), message("f", 1), message("f", 3))).toEqual(board("f", 3));
  });

  test("a held message older than the snapshot, or of a third epoch, is not shown", () => {
    expect(adopt(null, message("f", 5), message("f", 3))).toEqual(board("f", 5));
    expect(adopt(null, message("f", 5), message("g", 8))).toEqual(board("f", 5));
  });

  test("the reader's own row is no part of the board", () => {
    expect(adopt(null, { ...message("f", 5), me: row("me", 1) }, null)).toEqual(board("f", 5));
  });

  test("any order of messages and one snapshot ends at the newest version", () => {
    const arrivals = [3, 1, 5, 2, 4].map((version) => message("f", version));
    let shown: Board | null = board("e", 70);
    let held: LeaderboardUpdating | null = null;
    for (const arrived of arrivals) {
      const verdict = judge(shown, arrived);
      if (verdict.is === "other_epoch") held = laterOf(held, arrived);
      if (verdict.is === "newer") shown = verdict.board;
    }
    shown = adopt(shown, message("f", 2), held);
    expect(shown.version).toBe(5);
  });
});

test("of messages to hold, the later of an epoch is kept, and the latest epoch to arrive", () => {
  expect(laterOf(message("f", 3), message("f", 2)).version).toBe(3);
  expect(laterOf(message("f", 3), message("g", 1)).epoch).toBe("g");
});

test("a gain is a changed total of someone who was there before", () => {
  const before = [row("ada", 100), row("bo", 100), row("cy", 50)];
  const after = [row("bo", 300), row("ada", 100), row("dee", 100)];
  expect([...gains(before, after)]).toEqual([["bo", 200]]);
});

test("a shared rank is one that several rows hold", () => {
  const rows = [row("ada", 9, 1), row("bo", 9, 1), row("cy", 5, 3)];
  expect([...sharedRanks(rows)]).toEqual([1]);
});
