import type { AnswerBody } from "./messages.ts";

/**
 * The one answer of a quiz session that was given but not yet acknowledged. It outlives the tab: a
 * phone that loses power between the tap and the acknowledgement sends it again, under the same
 * `answer_id`, so it counts once.
 */
export class PendingAnswer {
  readonly #key: string;

  constructor(
    quizSessionId: string,
    userId: string,
    readonly storage: Storage = localStorage,
  ) {
    this.#key = `tiebreak.answer.${quizSessionId}.${userId}`;
  }

  get kept(): AnswerBody | null {
    try {
      return JSON.parse(this.storage.getItem(this.#key) ?? "null") as AnswerBody | null;
    } catch {
      return null;
    }
  }

  keep(body: AnswerBody): void {
    try {
      this.storage.setItem(this.#key, JSON.stringify(body));
    } catch {
      // A full or forbidden storage costs the safety over a reload, not the answer.
    }
  }

  settle(): void {
    this.storage.removeItem(this.#key);
  }
}
