import type { Game, MyResult } from "../../lib/messages.ts";
import { t } from "../../strings/catalogue.ts";
import type { LiveScreen } from "./live-screen.ts";

/**
 * What a screen reader is told of a change, beside the heading that the focus moves to. It changes
 * with the screen, not with every count on it.
 */
export function announcementOf(screen: LiveScreen, game: Game, result: MyResult | null): string {
  const progress = { number: (game.question_index ?? 0) + 1, count: game.question_count };
  switch (screen.is) {
    case "ready":
    case "slide":
      return t("play.progress", progress);
    case "sent":
      return screen.given.is === "sending" && screen.given.failures > 0 ? t("play.retrying") : "";
    case "reveal":
    case "standing":
    case "end":
      return result && result.rank !== null
        ? t("live.said.place", { rank: result.rank, players: result.players, score: result.score })
        : "";
    case "lobby":
    case "asking":
    case "paused":
    case "time_up":
      return "";
  }
}
