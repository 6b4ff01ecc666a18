import { Problem } from "../lib/problem.ts";
import { type Key, t } from "./catalogue.ts";
import { en } from "./en.ts";

/**
 * What to tell a person about a problem. A refused form says in `detail` which field and why, which
 * no catalogue can; for the rest our own words, in the reader's language, come first.
 */
export function problemText(error: unknown): string {
  if (!(error instanceof Problem)) return t("problem.internal");
  const key = `problem.${error.code}`;
  if (error.status === 429 && error.retryAfterMs !== null) {
    return t("problem.too_many_tries.seconds", { count: Math.ceil(error.retryAfterMs / 1000) });
  }
  if (isPlain(key)) return t(key);
  return error.detail ?? error.title;
}

type PlainProblem = Exclude<Extract<Key, `problem.${string}`>, "problem.too_many_tries.seconds">;
const isPlain = (key: string): key is PlainProblem =>
  key in en && key !== "problem.too_many_tries.seconds";
