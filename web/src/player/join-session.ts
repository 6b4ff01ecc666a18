import { open, playing } from "../lib/api.ts";
import { player } from "../lib/login.ts";
import type { JoinBody } from "../lib/messages.ts";
import { Problem } from "../lib/problem.ts";
import { t } from "../strings/catalogue.ts";

/**
 * Joins a quiz session, as a guest where this browser is nobody yet. Without a name the server gives
 * one. Being in already is success: the first request arrived and its answer was lost on the way.
 */
export async function joinSession(quizSessionId: string, body: JoinBody): Promise<void> {
  const guestName = async () => body.name ?? (await suggestedName()) ?? t("join.guest");
  if (player.stored === null) await playing.beGuest(await guestName());
  try {
    await playing.join(quizSessionId, body);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.code === "already_joined") return;
    if (problem.status !== 401) throw problem;
    player.forget();
    await playing.beGuest(await guestName());
    await playing.join(quizSessionId, body);
  }
}

/** A kind name that nobody has chosen; null if the server has none just now. */
export async function suggestedName(): Promise<string | null> {
  try {
    return (await open.suggestName()).name;
  } catch {
    return null;
  }
}
