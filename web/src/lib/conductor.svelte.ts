import type { GameCommand, Game } from "./messages.ts";

/** A press this soon after a step was meant for what was on the screen before it. */
const SETTLING_MS = 400;

const MOVES_ON: ReadonlySet<GameCommand> = new Set(["start", "next", "close", "skip"]);

export type Give = (command: GameCommand, fields?: { ms: number }) => Promise<unknown>;

/**
 * Gives a host's commands so that two clicks are one step. The server does nothing with a command
 * that names an older step; but where it answers faster than a finger clicks twice, the second click
 * would name the newer one. So what moves the game on is taken once, and not just after a step.
 */
export class Conductor {
  /** Why the last command was not obeyed. */
  problem = $state.raw<unknown>(null);
  /** The command under way. */
  pending = $state.raw<GameCommand | null>(null);

  #step: number | null = null;
  #steppedAt = Number.NEGATIVE_INFINITY;
  #last: Promise<void> = Promise.resolve();

  constructor(
    readonly send: Give,
    readonly now: () => number = () => performance.now(),
  ) {}

  /** To be told of every game shown. */
  see({ step }: Game): void {
    if (this.#step !== null && step !== this.#step) this.#steppedAt = this.now();
    this.#step = step;
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
    return this.now() - this.#steppedAt < SETTLING_MS;
  }
}
