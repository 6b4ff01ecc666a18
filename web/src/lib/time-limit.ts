import type { Question } from "./messages.ts";

/**
 * When each timed question was first on this screen. Kept over a reload, or a reload would buy time.
 * The server does not close a question of a self-paced quiz: this clock is the player's side of it.
 */
export class TimeLimits {
  readonly #key: string;

  constructor(
    quizSessionId: string,
    userId: string,
    readonly storage: Storage = localStorage,
    readonly now: () => number = Date.now,
  ) {
    this.#key = `tiebreak.shown.${quizSessionId}.${userId}`;
  }

  /** Notes that the question is on the screen now, unless it was before. */
  show({ question_id, time_limit_ms }: Question): void {
    if (time_limit_ms === null || question_id in this.#shownAt) return;
    const shownAt = { ...this.#shownAt, [question_id]: this.now() };
    this.storage.setItem(this.#key, JSON.stringify(shownAt));
  }

  /** What is left of a question's time: null without a limit, the whole limit before it is shown. */
  leftMs({ question_id, time_limit_ms }: Question): number | null {
    if (time_limit_ms === null) return null;
    const shownAt = this.#shownAt[question_id];
    if (shownAt === undefined) return time_limit_ms;
    // A clock set back must not give more than the limit.
    return Math.min(time_limit_ms, Math.max(0, shownAt + time_limit_ms - this.now()));
  }

  get #shownAt(): Record<string, number> {
    try {
      return JSON.parse(this.storage.getItem(this.#key) ?? "{}") as Record<string, number>;
    } catch {
      return {};
    }
  }
}
