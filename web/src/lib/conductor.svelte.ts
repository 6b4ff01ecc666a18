import type { GameCommand, Game } from "./messages.ts";

/** A press this soon after the screen has changed was meant for what was on it before. */
const SETTLING_MS = 400;

const MOVES_ON: ReadonlySet<GameCommand> = new Set(["start", "next", "close", "skip"]);

export type Give = (command: GameCommand, fields?: { ms: number }) => Promise<unknown>;

/**
 * Gives a host's commands so that two clicks are one step. The server does nothing with a command
 * that names an older step; but where it answers faster than a finger clicks twice, the second click
 * would name the newer one. So what moves the game on is taken once, and not just after the screen
 * has changed under the finger.
 */
export class Conductor {
  /** Why the last command was not obeyed. */
  problem = $state.raw<unknown>(null);
  /** The command under way. */
  pending = $state.raw<GameCommand | null>(null);

  #seen: string | null = null;
  #changedAt = Number.NEGATIVE_INFINITY;
  #last: Promise<void> = Promise.resolve();

  constructor(
    readonly send: Give,
    readonly now: () => number = () => performance.now(),
  ) {}

  /** To be told of every game shown. */
  see({ phase, question_index, paused }: Game): void {
    // Not by the step: a lobby that was locked is the same screen, and may start at once.
    const seen = `${phase} ${question_index} ${paused}`;
    if (this.#seen !== null && seen !== this.#seen) this.#changedAt = this.now();
    this.#seen = seen;
  }

  give(command: GameCommand, fields?: { ms: number }): Promise<void> {
    if (MOVES_ON.has(command) && (this.pending !== null || this.#isSettling)) return this.#last;
    // One after the other: each must name the step that the one before has led to.
    return (this.#last = this.#last.then(() => this.#give(command, fields)));
  }

  async #give(command: GameCommand, fields?: { ms: number }): Promise<void> {
    this.pending = command;
    try {
      await this.send(command, fields);
      this.problem = null;
    } catch (problem) {
      this.problem = problem;
    } finally {
      this.pending = null;
    }
  }

  get #isSettling(): boolean {
    return this.now() - this.#changedAt < SETTLING_MS;
  }
}
