import { choiceIndexes } from "../../lib/choice-indexes.ts";
import type { Answer, LiveQuestion, Question } from "../../lib/messages.ts";

/** As controls and outcomes know it. */
export function asQuestion({ image, ...question }: LiveQuestion): Question {
  return { ...question, ...(image && { image }), answered: null };
}

/** The places of the choices that an answer names: in the answer's order for `order`, else in theirs. */
export function placesOf(question: LiveQuestion, answer: Answer | null): number[] {
  if (question.type === "order") return Array.isArray(answer) ? answer : [];
  const places = choiceIndexes(question.type, answer);
  return [...places].sort((one, other) => one - other);
}
