export interface Spacing {
  /** The least time between two calls. */
  everyMs: number;
  /** The least time between an ask and its call, where what is called for lags behind what one hears; 0 if left out. */
  afterMs?: number;
  /** Added at random to each delay, so that many clients told at once do not all call at once. */
  jitterMs: number;
}

/** However often it is asked, calls at most once per `everyMs`, and once more after the last ask. */
export class SpacedCall {
  #timer: ReturnType<typeof setTimeout> | null = null;
  #lastAt = Number.NEGATIVE_INFINITY;

  constructor(
    readonly call: () => void,
    readonly spacing: Spacing,
    readonly random: () => number = Math.random,
    readonly now: () => number = () => performance.now(),
  ) {}

  ask(): void {
    if (this.#timer !== null) return;
    const { everyMs, afterMs = 0, jitterMs } = this.spacing;
    const delay = Math.max(afterMs, this.#lastAt + everyMs - this.now()) + jitterMs * this.random();
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#lastAt = this.now();
      this.call();
    }, delay);
  }

  cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
