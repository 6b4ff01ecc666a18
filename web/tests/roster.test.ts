import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LobbyRoster } from "../src/lib/lobby-roster.svelte.ts";
import { asListed, NOBODY, SHOWN_NAMES, withArrivals } from "../src/lib/roster.ts";

const update = (joined: string[], participant_count: number) => ({
  quiz_session_id: "s",
  joined,
  more: 0,
  participant_count,
});

describe("the roster", () => {
  test("grows at its end by those who were not there", () => {
    const one = withArrivals(NOBODY, ["Ann"]);
    const two = withArrivals(one, ["Ann", "Bob"]);
    expect(two.names).toEqual(["Ann", "Bob"]);
    expect([...two.fresh]).toEqual(["Bob"]);
  });

  test("keeps the newest where there are more than can be shown", () => {
    const many = Array.from({ length: SHOWN_NAMES + 1 }, (_, index) => `p${index}`);
    expect(withArrivals(NOBODY, many).names[0]).toBe("p1");
  });

  test("of a small room the message names everybody: who is not named has left", () => {
    const both = withArrivals(NOBODY, ["Ann", "Bob"], true);
    expect(withArrivals(both, ["Bob", "Cem"], true).names).toEqual(["Bob", "Cem"]);
    expect(withArrivals(both, [], true).names).toEqual([]);
  });

  test("after a reload nobody makes an entrance again", () => {
    expect(asListed(NOBODY, ["Ann", "Bob"]).fresh.size).toBe(0);
  });
});

describe("the lobby's roster", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  test("asks for the list only when the count does not fit the names", async () => {
    const read = vi.fn(async () => ["Bob"]);
    const lobby = new LobbyRoster(read);
    lobby.welcome(update(["Ann", "Bob"], 2));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(read).not.toHaveBeenCalled();

    // Ann was removed: no message names her.
    lobby.settle(1);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(read).toHaveBeenCalledTimes(1);
    expect(lobby.roster.names).toEqual(["Bob"]);
  });

  test("however fast they come, the list is not asked for at each", async () => {
    const read = vi.fn(async () => []);
    const lobby = new LobbyRoster(read);
    for (let count = 1; count <= 100; count++) {
      lobby.settle(count);
      await vi.advanceTimersByTimeAsync(20);
    }
    expect(read.mock.calls.length).toBeLessThanOrEqual(3);
  });
});
