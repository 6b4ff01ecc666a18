import { newAnswerId } from "../../lib/answer-id.ts";
import { playing } from "../../lib/api.ts";
import { deliver } from "../../lib/delivery.ts";
import type { LiveGame } from "../../lib/live-game.svelte.ts";
import type { Answer, AnswerBody } from "../../lib/messages.ts";
import type { PendingAnswer } from "../../lib/pending-answer.ts";
import { Problem } from "../../lib/problem.ts";
import { playTone } from "../../lib/tones.ts";

/** How far one player's answer to one question has come. `answer` is null if another device gave it. */
export type Given =
  | { is: "nothing"; refusal: Problem | null }
  | { is: "sending"; answer: Answer; failures: number }
  | { is: "taken"; answer: Answer | null }
  | { is: "late" };

const NOTHING: Given = { is: "nothing", refusal: null };

/**
 * One player's answers in a live game. What counts is the server's word, in the player's result; our
 * own are the one answer on its way, kept over a reload, and what became of those of this page.
 */
export class LiveAnswers {
  /** Called when this browser can no longer prove who is playing. */
  onLapse: () => void = () => {};

  #given = $state.raw<ReadonlyMap<string, Given>>(new Map());
  #stop = new AbortController();

  constructor(
    readonly live: LiveGame,
    readonly pending: PendingAnswer,
  ) {}

  of(questionId: string): Given {
    const given = this.#given.get(questionId) ?? NOTHING;
    const { result } = this.live;
    const told = result?.question_id === questionId ? result.answered : null;
    if (told && given.is !== "sending") return { is: "taken", answer: told.answer };
    return given;
  }

  /** Goes on with the answer that was on its way when the page was left. */
  async resume(): Promise<void> {
    const body = this.pending.kept;
    if (body !== null) await this.#send(body);
  }

  async answer(questionId: string, answer: Answer): Promise<void> {
    if (this.of(questionId).is !== "nothing") return;
    const quiz_session_id = this.live.seat.quizSessionId;
    const body = { quiz_session_id, question_id: questionId, answer, answer_id: newAnswerId() };
    this.pending.keep(body);
    playTone("sent");
    await this.#send(body);
  }

  close(): void {
    this.#stop.abort();
  }

  /** Until the server has decided; an earlier answer still on its way was for a question now closed. */
  async #send(body: AnswerBody): Promise<void> {
    this.#stop.abort();
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    const { question_id, answer } = body;
    const tell = (failures: number) => this.#note(question_id, { is: "sending", answer, failures });
    tell(0);
    try {
      await deliver({ send: () => playing.answerLive(body), onRetry: tell, signal });
      if (signal.aborted) return;
      this.#note(question_id, { is: "taken", answer });
    } catch (error) {
      if (signal.aborted) return;
      this.#refused(question_id, error);
    }
    this.pending.settle();
  }

  #refused(questionId: string, error: unknown): void {
    const problem = error instanceof Problem ? error : new Problem("internal", 500, "");
    switch (problem.code) {
      case "question_already_answered":
        // From another tab or device of this player: the result says what counts.
        this.#note(questionId, { is: "taken", answer: null });
        break;
      case "question_closed":
      case "session_finished":
        this.#note(questionId, { is: "late" });
        break;
      default:
        this.#note(questionId, { is: "nothing", refusal: problem });
    }
    if (problem.status === 401) this.onLapse();
    this.live.refused(problem.code, problem.title);
    this.live.refresh();
  }

  #note(questionId: string, given: Given): void {
    this.#given = new Map(this.#given).set(questionId, given);
  }
}
