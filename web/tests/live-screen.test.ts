import { describe, expect, test } from "vitest";
import type { Game, LiveQuestionType, MyResult } from "../src/lib/messages.ts";
import type { Given } from "../src/player/live/live-answers.svelte.ts";
import { liveScreen, screenKey } from "../src/player/live/live-screen.ts";
import { outcomeOf } from "../src/player/live/outcome.ts";
import { gameOf, openGame, questionOf, resultOf, revealGame } from "./game.ts";

const NOTHING: Given = { is: "nothing", refusal: null };
const TAKEN: Given = { is: "taken", answer: 0 };
const SENDING: Given = { is: "sending", answer: 0, failures: 0 };
const LATE: Given = { is: "late" };
const show = (game: Game, given: Given = NOTHING, isTimeUp = false) =>
  liveScreen({ game, given, isTimeUp }).is;
const keyOf = (game: Game) => screenKey(liveScreen({ game, given: NOTHING, isTimeUp: false }));
const answered = (correct: boolean | null, score: number) =>
  resultOf(4, { answered: { answer: 0, correct, score } });
const outcome = (result: MyResult | null, given: Given = TAKEN, type: LiveQuestionType = "choice") =>
  outcomeOf(questionOf({ type }), given, result);

describe("a phone shows", () => {
  test("each phase its screen", () => {
    expect(show(gameOf())).toBe("lobby");
    expect(show(openGame(2, { phase: "countdown" }))).toBe("ready");
    expect(show(openGame(3))).toBe("asking");
    expect(show(revealGame(4))).toBe("reveal");
    expect(show(revealGame(5, { phase: "board" }))).toBe("standing");
    expect(show(revealGame(6, { phase: "podium" }))).toBe("end");
    expect(show(revealGame(7, { phase: "finished" }))).toBe("end");
  });

  test("an answer given, also after the time is up", () => {
    expect(show(openGame(3), SENDING)).toBe("sent");
    expect(show(openGame(3), TAKEN, true)).toBe("sent");
  });

  test("that it is too late, by its own clock or by the server's word", () => {
    expect(show(openGame(3), NOTHING, true)).toBe("time_up");
    expect(show(openGame(3), LATE)).toBe("time_up");
  });

  test("a pause, and whether the answer is in", () => {
    const paused = openGame(3, { paused: true });
    expect(liveScreen({ game: paused, given: TAKEN, isTimeUp: false })).toMatchObject({
      is: "paused",
      isAnswered: true,
    });
    expect(show(paused, NOTHING, true)).toBe("paused");
    expect(show(openGame(3, { phase: "countdown", paused: true }))).toBe("paused");
    expect(show(revealGame(4, { paused: true }))).toBe("reveal");
  });

  test("a slide, which nobody answers", () => {
    expect(show(openGame(3, { question: questionOf({ type: "info" }) }))).toBe("slide");
  });

  test("the same screen while only counts change, and another one for the next question", () => {
    expect(keyOf(openGame(3, { answered: 2 }))).toBe(keyOf(openGame(3)));
    const next = openGame(8, { question: questionOf({ question_id: "two" }) });
    expect(keyOf(next)).not.toBe(keyOf(openGame(3)));
  });
});

describe("a reveal says", () => {
  test("nothing before the result is here", () => expect(outcome(null)).toBe("waiting"));

  test("right, partly right or wrong", () => {
    expect(outcome(answered(true, 90))).toBe("right");
    expect(outcome(answered(true, 0))).toBe("right");
    expect(outcome(answered(false, 50), TAKEN, "multi_choice")).toBe("partly");
    expect(outcome(answered(false, 0))).toBe("wrong");
  });

  test("no more than thanks where nothing is right or wrong", () => {
    expect(outcome(answered(null, 0), TAKEN, "poll")).toBe("thanks");
    expect(outcome(answered(true, 0), TAKEN, "word_cloud")).toBe("thanks");
  });

  test("that nothing was answered, or too late", () => {
    expect(outcome(resultOf(4), NOTHING)).toBe("none");
    expect(outcome(resultOf(4), LATE)).toBe("late");
  });

  test("nothing of another question's result", () => {
    expect(outcome({ ...answered(true, 90), question_id: "zero" }, NOTHING)).toBe("none");
  });
});
