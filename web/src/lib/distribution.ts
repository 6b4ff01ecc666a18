import type { AnswerCount, LiveQuestion, Reveal } from "./messages.ts";

export interface Bar {
  /** The place among the choices, for its shape; null for answers in words. */
  index: number | null;
  text: string;
  count: number;
  /** Of the most frequent answer, 0 to 1: the length of the bar. */
  length: number;
  /** Of all who answered, in whole percent. */
  percent: number;
  /** `unknown` in a poll, and of a number that may lie within the tolerance, which the screen is not told. */
  verdict: "right" | "wrong" | "unknown";
}

/** How the room answered, as bars: one for each choice, or for each of the most frequent answers. */
export function barsOf(question: LiveQuestion, reveal: Reveal, truth: [string, string]): Bar[] {
  const most = Math.max(1, ...reveal.distribution.map(({ count }) => count));
  return reveal.distribution.map(({ answer, count }) => {
    const index = indexOf(answer);
    return {
      index,
      text: index === null ? String(answer) : textOf(question, index, truth),
      count,
      length: count / most,
      percent: reveal.answered === 0 ? 0 : Math.round((100 * count) / reveal.answered),
      verdict: verdictOn(question, answer, reveal.right_answer),
    };
  });
}

/** What was right, in words; several where several were, or where an order was asked for. */
export function rightTexts(
  question: LiveQuestion,
  right: Reveal["right_answer"],
  truth: [string, string],
): string[] {
  if (right === null) return [];
  if (typeof right === "boolean") return [right ? truth[0] : truth[1]];
  if (question.type === "numeric") return [String(right)];
  const all: (number | string)[] = Array.isArray(right) ? right : [right];
  return all.map((each) => (typeof each === "number" ? textOf(question, each, truth) : each));
}

/** True comes first, then false, as on every screen. */
const indexOf = (answer: AnswerCount["answer"]): number | null => {
  if (typeof answer === "boolean") return answer ? 0 : 1;
  return typeof answer === "number" ? answer : null;
};

const textOf = ({ type, choices }: LiveQuestion, index: number, truth: [string, string]) =>
  (type === "true_false" ? truth[index] : choices?.[index]) ?? "";

function verdictOn(
  { type }: LiveQuestion,
  answer: AnswerCount["answer"],
  right: Reveal["right_answer"],
): Bar["verdict"] {
  if (right === null) return "unknown";
  if (type === "numeric") return Number(answer) === Number(right) ? "right" : "unknown";
  return isRight(answer, right) ? "right" : "wrong";
}

function isRight(answer: AnswerCount["answer"], right: NonNullable<Reveal["right_answer"]>): boolean {
  if (typeof answer === "string") {
    const accepted = Array.isArray(right) ? right : [right];
    return accepted.some((each) => folded(String(each)) === folded(answer));
  }
  return Array.isArray(right) ? right.some((each) => each === answer) : right === answer;
}

/** As typed answers are compared: without case, outer blanks and doubled blanks. */
const folded = (text: string) => text.trim().replace(/\s+/g, " ").toLowerCase();
