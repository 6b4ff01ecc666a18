import { isGraded } from "../../lib/graded.ts";
import type { LiveQuestion, MyResult } from "../../lib/messages.ts";
import type { Given } from "./live-answers.svelte.ts";

/** What the reveal says to one player. */
export type Outcome = "waiting" | "right" | "partly" | "wrong" | "thanks" | "none" | "late";

/** `result` is null until it is here. */
export function outcomeOf(question: LiveQuestion, given: Given, result: MyResult | null): Outcome {
  if (result === null) return "waiting";
  const answered = result.question_id === question.question_id ? result.answered : null;
  if (answered === null) return given.is === "late" ? "late" : "none";
  if (!isGraded(question)) return "thanks";
  if (answered.correct) return "right";
  return (answered.score ?? 0) > 0 ? "partly" : "wrong";
}
