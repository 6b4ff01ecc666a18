import { describe, expect, test } from "vitest";
import { isOffered, primaryOf } from "../src/lib/conducting.ts";
import type { Game, GameCommand } from "../src/lib/messages.ts";
import { gameOf, openGame, questionOf, revealGame } from "./game.ts";

const slide = openGame(3, { question: questionOf({ type: "info" }), closes_in_ms: null });
const counting = openGame(2, { phase: "countdown", opens_in_ms: 3_000, closes_in_ms: null });
const board = openGame(5, { phase: "board", closes_in_ms: null });
const podium = gameOf({ phase: "podium", question_index: 2 });

describe("the large button", () => {
  test.each<[string, Game, GameCommand, string]>([
    ["starts from the lobby", gameOf(), "start", "question"],
    ["closes a question", openGame(3), "close", "reveal"],
    ["leaves a slide", slide, "next", "question"],
    ["shows the board after a reveal", revealGame(4), "next", "board"],
    ["asks the next question after a board", board, "next", "question"],
    ["ends the game from the podium", podium, "next", "end"],
    ["starts a clock that was stopped", openGame(3, { paused: true }), "resume", "clock"],
  ])("%s", (_, game, command, coming) => {
    expect(primaryOf(game)).toEqual({ command, coming });
  });

  test("skips the board after the last question, and after one that earns nothing", () => {
    const last = revealGame(9, { question_index: 2 });
    expect(primaryOf(last)?.coming).toBe("podium");
    const poll = revealGame(4, { question: questionOf({ type: "poll" }) });
    expect(primaryOf(poll)?.coming).toBe("question");
  });

  test("waits with the room in the countdown, and has nothing to do at the end", () => {
    expect(primaryOf(counting)).toBeNull();
    expect(primaryOf(gameOf({ phase: "finished" }))).toBeNull();
  });
});

describe("what is offered", () => {
  const all: GameCommand[] = [
    "start", "next", "close", "skip", "pause", "resume", "add_time", "end", "lock", "unlock", "auto_on", "auto_off",
  ];
  // As quiz/live.py obeys; what is not named here is refused there.
  test.each<[string, Game, GameCommand[]]>([
    ["lobby", gameOf(), ["start", "end", "lock", "auto_on"]],
    ["countdown", counting, ["skip", "pause", "end", "lock", "auto_on"]],
    ["question", openGame(3), ["close", "skip", "pause", "add_time", "end", "lock", "auto_on"]],
    [
      "paused question",
      openGame(3, { paused: true }),
      ["close", "skip", "resume", "add_time", "end", "lock", "auto_on"],
    ],
    ["slide", slide, ["next", "skip", "end", "lock", "auto_on"]],
    ["reveal", revealGame(4), ["next", "end", "lock", "auto_on"]],
    [
      "reveal that goes on by itself",
      revealGame(4, { auto_advance: true, next_in_ms: 6_000 }),
      ["next", "pause", "end", "lock", "auto_off"],
    ],
    ["board, locked", { ...board, locked: true }, ["next", "end", "unlock", "auto_on"]],
    ["podium", podium, ["next", "end", "lock", "auto_on"]],
    ["finished", gameOf({ phase: "finished" }), []],
  ])("%s", (_, game, offered) => {
    expect(all.filter((command) => isOffered(game, command))).toEqual(
      all.filter((command) => offered.includes(command)),
    );
  });
});
