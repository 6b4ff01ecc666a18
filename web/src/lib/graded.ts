import type { QuestionType } from "./messages.ts";

/** Whether an answer to it can be right or wrong, and so earns points. */
export const isGraded = ({ type }: { type: QuestionType }): boolean =>
  type !== "poll" && type !== "word_cloud" && type !== "info";
