import { Problem } from "../lib/problem.ts";
import { type Key, t } from "./catalogue.ts";
import { en } from "./en.ts";

/** Refusals that mean to a person what another one means. */
export const ALIKE: Readonly<Record<string, PlainProblem>> = {
  token_missing: "problem.login_lapsed",
  token_invalid: "problem.login_lapsed",
  token_expired: "problem.login_lapsed",
  user_unknown: "problem.login_lapsed",
  refresh_token_invalid: "problem.login_lapsed",
  refresh_token_reused: "problem.login_lapsed",
  // Only a client that is not ours meets these.
  json_malformed: "problem.internal",
  message_unknown: "problem.internal",
  method_not_allowed: "problem.internal",
  origin_refused: "problem.internal",
};

/**
 * What to tell a person about a problem: our own words, in the reader's language. A refused form says
 * in `detail` which field and why, which no catalogue can; that part is the server's, in English.
 */
export function problemText(error: unknown): string {
  if (!(error instanceof Problem)) return t("problem.internal");
  const { code, detail } = error;
  if (error.status === 429 && error.retryAfterMs !== null) {
    return t("problem.too_many_tries.seconds", { count: Math.ceil(error.retryAfterMs / 1000) });
  }
  if (code === "request_invalid" && detail !== null) {
    return t("problem.request_invalid.detail", { detail });
  }
  const key = ALIKE[code] ?? `problem.${code}`;
  return isPlain(key) ? t(key) : t("problem.unknown", { code });
}

const FILLED = [
  "problem.too_many_tries.seconds",
  "problem.request_invalid.detail",
  "problem.unknown",
] as const satisfies readonly Key[];
type PlainProblem = Exclude<Extract<Key, `problem.${string}`>, (typeof FILLED)[number]>;
const isPlain = (key: string): key is PlainProblem =>
  key in en && !FILLED.some((each) => each === key);
