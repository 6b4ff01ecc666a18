import { isLastQuestion, primaryOf } from "../../../lib/conducting.ts";
import type { Game } from "../../../lib/messages.ts";
import { t } from "../../../strings/catalogue.ts";

/** What the primary button says: what will be on the stage next. */
export function primaryLabel(game: Game): string | null {
  const primary = primaryOf(game);
  if (primary === null) return null;
  if (primary.command === "start") return t("live.do.start");
  switch (primary.coming) {
    case "clock":
      return t("live.do.resume");
    case "reveal":
      return t("live.do.close");
    case "board":
      return t("live.do.board");
    case "question":
      return t("live.do.next");
    case "podium":
      return isLastQuestion(game) ? t("live.do.podium") : t("live.do.next");
    case "end":
      return t("live.do.finish");
  }
}
