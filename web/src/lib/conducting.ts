import type { GameCommand, Game, LiveQuestionType } from "./messages.ts";

/** What a host can do where a game stands, in the words of quiz/live.py: keep the two alike. */

/** Nothing is won by these: no board follows them. */
const UNSCORED: ReadonlySet<LiveQuestionType> = new Set(["poll", "word_cloud", "info"]);

/** What the room sees when the primary command has been obeyed. */
export type Coming = "question" | "reveal" | "board" | "podium" | "end" | "clock";

export interface Primary {
  command: GameCommand;
  coming: Coming;
}

/** The one thing a host does next; null while the game moves on by itself, or has ended. */
export function primaryOf(game: Game): Primary | null {
  if (game.paused) return { command: "resume", coming: "clock" };
  switch (game.phase) {
    case "lobby":
      return { command: "start", coming: "question" };
    case "question":
      return isSlide(game)
        ? { command: "next", coming: following(game) }
        : { command: "close", coming: "reveal" };
    case "reveal":
      return { command: "next", coming: isFollowedByBoard(game) ? "board" : following(game) };
    case "board":
      return { command: "next", coming: "question" };
    case "podium":
      return { command: "next", coming: "end" };
    case "countdown":
    case "finished":
      return null;
  }
}

/** Whether the game would obey; what it would refuse is not offered. */
export function isOffered(game: Game, command: GameCommand): boolean {
  const { phase } = game;
  const isAsking = phase === "question" && !isSlide(game);
  switch (command) {
    case "start":
      return phase === "lobby";
    case "next":
      return ["reveal", "board", "podium"].includes(phase) || (phase === "question" && !isAsking);
    case "close":
      return isAsking;
    case "add_time":
      return isAsking;
    case "skip":
      return phase === "countdown" || phase === "question";
    case "pause":
      return !game.paused && isTimed(game);
    case "resume":
      return game.paused;
    case "lock":
    case "auto_on":
      return phase !== "finished" && !(command === "lock" ? game.locked : game.auto_advance);
    case "unlock":
    case "auto_off":
      return phase !== "finished" && (command === "unlock" ? game.locked : game.auto_advance);
    case "end":
      return phase !== "finished";
  }
}

/** Something is shown that nobody answers. */
export const isSlide = ({ question }: Game): boolean => question?.type === "info";

export const isLastQuestion = ({ question_index, question_count }: Game): boolean =>
  question_index !== null && question_index + 1 >= question_count;

const isTimed = (game: Game) =>
  game.phase === "countdown" || game.closes_in_ms !== null || game.next_in_ms !== null;

const following = (game: Game): Coming => (isLastQuestion(game) ? "podium" : "question");

const isFollowedByBoard = (game: Game) =>
  !isLastQuestion(game) && game.question !== null && !UNSCORED.has(game.question.type);
