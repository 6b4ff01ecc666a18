import { describe, expect, test } from "vitest";
import { pauseMs } from "../src/lib/backoff.ts";
import { deliver } from "../src/lib/delivery.ts";
import { Problem, unreachable } from "../src/lib/problem.ts";

/** A server that fails in the given ways, one per try, and then takes the answer. */
function serverFailing(...failures: Problem[]) {
  let tries = 0;
  const pauses: number[] = [];
  const failed: number[] = [];
  return {
    pauses,
    failed,
    tries: () => tries,
    delivery: {
      send: async () => {
        const failure = failures[tries++];
        if (failure) throw failure;
        return "taken";
      },
      onRetry: (count: number) => failed.push(count),
      pause: async (ms: number) => void pauses.push(ms),
    },
  };
}

describe("deliver", () => {
  test("an answer the server takes is sent once", async () => {
    const server = serverFailing();
    await expect(deliver(server.delivery)).resolves.toBe("taken");
    expect(server.tries()).toBe(1);
  });

  test("no network, a fault of the server and too many requests are tried again", async () => {
    const server = serverFailing(
      unreachable(),
      new Problem("unavailable", 503, ""),
      new Problem("too_many_tries", 429, ""),
    );
    await expect(deliver(server.delivery)).resolves.toBe("taken");
    expect(server.failed).toEqual([1, 2, 3]);
  });

  test("a refusal is final: it is thrown, not tried again", async () => {
    const server = serverFailing(new Problem("question_already_answered", 400, ""));
    await expect(deliver(server.delivery)).rejects.toMatchObject({
      code: "question_already_answered",
    });
    expect(server.tries()).toBe(1);
  });

  test("waits at least as long as the server asked", async () => {
    const server = serverFailing(new Problem("too_many_tries", 429, "", null, 30_000));
    await deliver(server.delivery);
    expect(server.pauses[0]).toBeGreaterThanOrEqual(30_000);
  });

  test("stops when the screen is left", async () => {
    const abort = new AbortController();
    const server = serverFailing(unreachable(), unreachable(), unreachable());
    const onRetry = () => abort.abort();
    const leaving = deliver({ ...server.delivery, onRetry, signal: abort.signal });
    await expect(leaving).rejects.toMatchObject({ code: "server_unreachable" });
    expect(server.tries()).toBe(1);
  });
});

test("pauses double up to a limit and never fall below half of it", () => {
  const backoff = { firstMs: 500, limitMs: 10_000 };
  expect([0, 1, 2, 3, 4, 5, 50].map((attempt) => pauseMs(backoff, attempt, () => 1))).toEqual([
    500, 1000, 2000, 4000, 8000, 10_000, 10_000,
  ]);
  expect(pauseMs(backoff, 50, () => 0)).toBe(5000);
});
