import type { LiveQuestion } from "../../../lib/messages.ts";
import { t } from "../../../strings/catalogue.ts";

/** True and false, in that order, in the reader's language. */
export const truth = (): [string, string] => [t("play.true"), t("play.false")];

/** What there is to choose from, as every screen shows it; empty where an answer is typed. */
export const stageChoices = ({ type, choices }: LiveQuestion): string[] =>
  type === "true_false" ? truth() : (choices ?? []);
