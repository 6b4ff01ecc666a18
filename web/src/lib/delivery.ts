import { type Backoff, pause, pauseMs } from "./backoff.ts";
import { Problem } from "./problem.ts";

const BACKOFF: Backoff = { firstMs: 500, limitMs: 10_000 };

export interface Delivery<T> {
  send: () => Promise<T>;
  /** Called before each further try, with how many have failed. */
  onRetry: (failures: number) => void;
  signal?: AbortSignal;
  pause?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** Sends until the server has decided; throws its refusal. Safe only for what may be sent twice. */
export async function deliver<T>(delivery: Delivery<T>): Promise<T> {
  const { send, onRetry, signal, pause: rest = pause } = delivery;
  for (let failures = 0; ; ) {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof Problem) || !error.isTemporary || signal?.aborted) throw error;
      const wait = Math.max(pauseMs(BACKOFF, failures), error.retryAfterMs ?? 0);
      failures += 1;
      onRetry(failures);
      await rest(wait, signal);
      if (signal?.aborted) throw error;
    }
  }
}
