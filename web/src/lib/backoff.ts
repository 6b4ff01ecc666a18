export interface Backoff {
  firstMs: number;
  limitMs: number;
}

/**
 * The pause before try `attempt` (0 = first retry): doubling, capped, and spread over its upper
 * half, so that a room of phones that lost the server together does not come back together.
 */
export function pauseMs(
  { firstMs, limitMs }: Backoff,
  attempt: number,
  random: () => number = Math.random,
): number {
  const whole = Math.min(limitMs, firstMs * 2 ** Math.min(attempt, 30));
  return Math.round(whole / 2 + (whole / 2) * random());
}

/** Resolves after `ms`, or at once when the browser says the network is back. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      globalThis.removeEventListener?.("online", done);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    globalThis.addEventListener?.("online", done);
    signal?.addEventListener("abort", done);
    if (signal?.aborted) done();
  });
}
