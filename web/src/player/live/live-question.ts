import { choiceIndexes } from "../../lib/choice-indexes.ts";
import type { Answer, LiveQuestion, Question, QuestionType } from "../../lib/messages.ts";

/** As the controls know it: a poll is answered like any choice. */
export const asQuestion = (question: LiveQuestion): Question => ({
  ...question,
  type: (question.type === "poll" ? "choice" : question.type) as QuestionType,
  answered: null,
});

/** Whether an answer can be right or wrong. */
export const isGraded = ({ type }: LiveQuestion): boolean =>
  type !== "poll" && type !== "word_cloud" && type !== "info";

/** The places of the choices that an answer names: in the answer's order for `order`, else in theirs. */
export function placesOf(question: LiveQuestion, answer: Answer | null): number[] {
  if (question.type === "order") return Array.isArray(answer) ? answer : [];
  if (question.type === "numeric" || question.type === "word_cloud") return [];
  const places = choiceIndexes(asQuestion(question).type, answer);
  return [...places].sort((one, other) => one - other);
}
