import type { QuestionResults } from "../../lib/messages.ts";
import { t } from "../../strings/catalogue.ts";

/** An answer in the reader's words: the server says `true` and `false` to everybody. */
export function answerText({ type }: QuestionResults, answer: string): string {
  if (type !== "true_false") return answer;
  return t(answer === "true" ? "play.true" : "play.false");
}

export function rightText(question: QuestionResults): string | null {
  const { right_answer } = question;
  return right_answer === null ? null : answerText(question, right_answer);
}
