import type { Game, LiveQuestion } from "../../lib/messages.ts";
import type { Given } from "./live-answers.svelte.ts";

/** What a player's phone shows: one thing at a time. */
export type LiveScreen =
  | { is: "lobby" }
  | { is: "ready"; question: LiveQuestion }
  | { is: "paused"; question: LiveQuestion | null; isAnswered: boolean }
  | { is: "slide"; question: LiveQuestion }
  | { is: "asking"; question: LiveQuestion; given: Extract<Given, { is: "nothing" }> }
  | { is: "sent"; question: LiveQuestion; given: Extract<Given, { is: "sending" | "taken" }> }
  | { is: "time_up"; question: LiveQuestion; wasLate: boolean }
  | { is: "reveal"; question: LiveQuestion; given: Given }
  | { is: "standing" }
  | { is: "end"; isFinished: boolean };

export interface Moment {
  game: Game;
  given: Given;
  /** Whether this player's time for the question has run out on this screen. */
  isTimeUp: boolean;
}

export function liveScreen({ game, given, isTimeUp }: Moment): LiveScreen {
  const { phase, question, paused } = game;
  if (phase === "podium" || phase === "finished") return { is: "end", isFinished: phase === "finished" };
  if (phase === "board") return { is: "standing" };
  if (phase === "lobby" || question === null) return { is: "lobby" };
  if (phase === "reveal") return { is: "reveal", question, given };
  const isAnswered = given.is === "sending" || given.is === "taken";
  if (paused) return { is: "paused", question, isAnswered };
  if (phase === "countdown") return { is: "ready", question };
  if (question.type === "info") return { is: "slide", question };
  if (given.is === "sending" || given.is === "taken") return { is: "sent", question, given };
  if (given.is === "late") return { is: "time_up", question, wasLate: true };
  return isTimeUp ? { is: "time_up", question, wasLate: false } : { is: "asking", question, given };
}

/** The same key: the same screen, with the focus left where it is. */
export function screenKey(screen: LiveScreen): string {
  return "question" in screen ? `${screen.is} ${screen.question?.question_id}` : screen.is;
}
