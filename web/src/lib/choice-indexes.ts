import type { Answer, QuestionType, RightAnswer } from "./messages.ts";

/** The places on the screen that an answer, or a key, stands for. True comes first, then false. */
export function choiceIndexes(type: QuestionType, answer: Answer | RightAnswer | null): Set<number> {
  if (type === "typed" || answer === null) return new Set();
  if (typeof answer === "boolean") return new Set([answer ? 0 : 1]);
  if (typeof answer === "number") return new Set([answer]);
  if (Array.isArray(answer)) return new Set(answer.filter((each) => typeof each === "number"));
  return new Set();
}

/** What a tap on one of the places answers. */
export const answerAt = (type: "choice" | "true_false", index: number): Answer =>
  type === "true_false" ? index === 0 : index;
