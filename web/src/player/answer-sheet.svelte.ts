import { newAnswerId } from "../lib/answer-id.ts";
import { playing } from "../lib/api.ts";
import { deliver } from "../lib/delivery.ts";
import { player } from "../lib/login.ts";
import type { Answer, AnswerBody, Answered, Question, QuestionSheet } from "../lib/messages.ts";
import { PendingAnswer } from "../lib/pending-answer.ts";
import { Problem } from "../lib/problem.ts";
import { ReadSlides } from "../lib/read-slides.ts";
import { TimeLimits } from "../lib/time-limit.ts";

export type Phase =
  | { is: "loading" }
  | { is: "failed"; problem: unknown }
  | { is: "not_joined" }
  | { is: "lapsed" }
  | { is: "asking"; question: Question; wasRefused: boolean }
  | { is: "sending"; question: Question; answer: Answer; failures: number }
  | { is: "feedback"; question: Question }
  | { is: "time_up"; question: Question }
  | { is: "done"; wasLate: boolean };

/**
 * One participant's way through the questions. What was answered is the server's word, read anew at
 * each load; the only state of our own is the one answer still on its way.
 */
export class AnswerSheet {
  sheet = $state.raw<QuestionSheet | null>(null);
  phase = $state.raw<Phase>({ is: "loading" });
  readonly total = $derived(sum(this.sheet?.questions.map((each) => each.answered?.score ?? 0)));
  readonly answered = $derived(this.sheet?.questions.filter((each) => each.answered) ?? []);

  readonly #userId = player.stored?.user_id ?? "";
  readonly #pending: PendingAnswer;
  readonly #stop = new AbortController();
  readonly limits: TimeLimits;
  readonly #slides: ReadSlides;

  constructor(readonly quizSessionId: string) {
    this.#pending = new PendingAnswer(quizSessionId, this.#userId);
    this.limits = new TimeLimits(quizSessionId, this.#userId);
    this.#slides = new ReadSlides(quizSessionId, this.#userId);
  }

  async load(): Promise<void> {
    this.phase = { is: "loading" };
    await this.#guarded(async () => {
      await this.#read();
      const body = this.#pending.kept;
      const question = this.#questionOf(body?.question_id);
      if (body && question && !question.answered) return this.#send(question, body);
      this.#pending.settle();
      this.next();
    });
  }

  async answer(answer: Answer): Promise<void> {
    if (this.phase.is !== "asking") return;
    const { question } = this.phase;
    const { question_id } = question;
    const answer_id = newAnswerId();
    const body = { quiz_session_id: this.quizSessionId, question_id, answer, answer_id };
    this.#pending.keep(body);
    await this.#guarded(() => this.#send(question, body));
  }

  /** On to the first question that is still open; passed ones, whose time is up, stay behind. */
  next(): void {
    const question = this.sheet?.questions.find((each) => this.isOpen(each));
    if (question === undefined || this.sheet?.state === "finished") {
      this.phase = { is: "done", wasLate: false };
      return;
    }
    this.#ask(question, false);
  }

  isOpen(question: Question): boolean {
    if (question.type === "info") return !this.#slides.has(question);
    return !question.answered && this.limits.leftMs(question) !== 0;
  }

  /** A slide was read. */
  goOn(): void {
    if (this.phase.is !== "asking") return;
    this.#slides.add(this.phase.question);
    this.next();
  }

  giveUp(): void {
    if (this.phase.is === "asking") this.phase = { is: "time_up", question: this.phase.question };
  }

  close(): void {
    this.#stop.abort();
  }

  #ask(question: Question, wasRefused: boolean): void {
    if (question.type !== "info") this.limits.show(question);
    this.phase = { is: "asking", question, wasRefused };
  }

  async #send(question: Question, body: AnswerBody): Promise<void> {
    const { answer } = body;
    this.phase = { is: "sending", question, answer, failures: 0 };
    try {
      const { correct, score } = await deliver({
        send: () => playing.answer(body),
        onRetry: (failures) => (this.phase = { is: "sending", question, answer, failures }),
        signal: this.#stop.signal,
      });
      this.#pending.settle();
      this.#record(question, { answer, correct, score, right_answer: null });
      if (!correct || question.explained) void this.#readRightAnswer(question);
    } catch (error) {
      await this.#refused(question, error);
    }
  }

  async #refused(question: Question, error: unknown): Promise<void> {
    if (!(error instanceof Problem) || error.isTemporary || error.status === 401) throw error;
    this.#pending.settle();
    switch (error.code) {
      case "session_finished":
        await this.#read();
        this.phase = { is: "done", wasLate: true };
        return;
      case "question_already_answered": {
        // From another tab or device of this participant: that answer is the one that counts.
        await this.#read();
        const answered = this.#questionOf(question.question_id);
        if (answered?.answered) this.phase = { is: "feedback", question: answered };
        else this.next();
        return;
      }
      case "not_joined":
        throw error;
      default:
        this.#ask(question, true);
    }
  }

  async #readRightAnswer({ question_id }: Question): Promise<void> {
    try {
      const { signal } = this.#stop;
      await deliver({ send: () => this.#read(), onRetry: () => {}, signal });
    } catch {
      return;
    }
    const question = this.#questionOf(question_id);
    const isShown = this.phase.is === "feedback" && this.phase.question.question_id === question_id;
    if (question && isShown) this.phase = { is: "feedback", question };
  }

  #record(question: Question, answered: Answered): void {
    if (this.sheet === null) return;
    const done = { ...question, answered };
    const isSame = (each: Question) => each.question_id === question.question_id;
    const questions = this.sheet.questions.map((each) => (isSame(each) ? done : each));
    this.sheet = { ...this.sheet, questions };
    this.phase = { is: "feedback", question: done };
  }

  async #read(): Promise<void> {
    const sheet = await playing.questions(this.quizSessionId);
    if (sheet.me === null) throw new Problem("not_joined", 403, "");
    this.sheet = sheet;
  }

  async #guarded(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (problem) {
      if (this.#stop.signal.aborted) return;
      const { code, status } = problem instanceof Problem ? problem : { code: "", status: 0 };
      if (status === 401) this.phase = { is: "lapsed" };
      else if (code === "not_joined") this.phase = { is: "not_joined" };
      else this.phase = { is: "failed", problem };
    }
  }

  #questionOf(questionId: string | undefined): Question | undefined {
    return this.sheet?.questions.find((each) => each.question_id === questionId);
  }
}

const sum = (scores: number[] = []) => scores.reduce((total, score) => total + score, 0);
