import type { Question } from "./messages.ts";

/** Which slides of a quiz session were read on this screen: the server takes no answer to them. */
export class ReadSlides {
  readonly #key: string;

  constructor(
    quizSessionId: string,
    userId: string,
    readonly storage: Storage = localStorage,
  ) {
    this.#key = `tiebreak.read.${quizSessionId}.${userId}`;
  }

  has({ type, question_id }: Question): boolean {
    return type === "info" && this.#read.includes(question_id);
  }

  add({ question_id }: Question): void {
    this.storage.setItem(this.#key, JSON.stringify([...this.#read, question_id]));
  }

  get #read(): string[] {
    try {
      return JSON.parse(this.storage.getItem(this.#key) ?? "[]") as string[];
    } catch {
      return [];
    }
  }
}
