import type { Question } from "../../lib/messages.ts";
import { t } from "../../strings/catalogue.ts";

export const choiceTexts = ({ type, choices }: Question): string[] =>
  type === "true_false" ? [t("play.true"), t("play.false")] : (choices ?? []);
