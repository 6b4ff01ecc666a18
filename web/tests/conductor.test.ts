import { beforeEach, describe, expect, test } from "vitest";
import { Conductor } from "../src/lib/conductor.svelte.ts";
import type { GameCommand } from "../src/lib/messages.ts";
import { Problem } from "../src/lib/problem.ts";
import { gameOf, openGame, revealGame } from "./game.ts";

let now = 0;
let sent: [GameCommand, { ms: number } | undefined][] = [];
let finish: (problem?: Problem) => void = () => {};

/** Each command stays under way until the test lets it finish. */
const conductorOf = () =>
  new Conductor(
    (command, fields) => {
      sent.push([command, fields]);
      return new Promise<void>((resolve, reject) => {
        finish = (problem) => (problem ? reject(problem) : resolve());
      });
    },
    () => now,
  );
const turn = () => new Promise<void>((resolve) => setTimeout(resolve));

beforeEach(() => {
  now = 10_000;
  sent = [];
});

describe("two clicks are one step", () => {
  test("while the first is under way", async () => {
    const conductor = conductorOf();
    void conductor.give("next");
    await turn();
    void conductor.give("next");
    finish();
    await turn();
    expect(sent).toEqual([["next", undefined]]);
  });

  test("when the server was faster than the second click", async () => {
    const conductor = conductorOf();
    conductor.see(openGame(3));
    void conductor.give("close");
    await turn();
    conductor.see(revealGame(4));
    finish();
    await turn();
    now += 150;
    void conductor.give("next");
    await turn();
    expect(sent).toHaveLength(1);

    now += 400;
    void conductor.give("next");
    await turn();
    expect(sent).toHaveLength(2);
  });

  test("when the clock closed the question just before the click that would have", async () => {
    const conductor = conductorOf();
    conductor.see(openGame(3));
    conductor.see(revealGame(4));
    now += 100;
    void conductor.give("next");
    await turn();
    expect(sent).toEqual([]);
  });

  test("when the first started the clock again, the second does not close the question", async () => {
    const conductor = conductorOf();
    conductor.see(openGame(3, { paused: true }));
    conductor.see(openGame(4));
    now += 100;
    void conductor.give("close");
    await turn();
    expect(sent).toEqual([]);
  });

  test("but a lobby that has just been locked may start", async () => {
    const conductor = conductorOf();
    conductor.see(gameOf());
    conductor.see(gameOf({ step: 2, locked: true }));
    void conductor.give("start");
    await turn();
    expect(sent).toHaveLength(1);
  });

  test("but a screen that has only just come may go on at once", async () => {
    const conductor = conductorOf();
    conductor.see(openGame(3));
    void conductor.give("close");
    await turn();
    expect(sent).toHaveLength(1);
  });
});

test("time is added as often as it is asked for, one after the other", async () => {
  const conductor = conductorOf();
  void conductor.give("add_time", { ms: 10_000 });
  void conductor.give("add_time", { ms: 10_000 });
  await turn();
  expect(sent).toHaveLength(1);
  finish();
  await turn();
  expect(sent).toHaveLength(2);
});

test("why a command was not obeyed is known until one is", async () => {
  const conductor = conductorOf();
  void conductor.give("pause");
  await turn();
  finish(new Problem("command_not_now", 409, "Not now"));
  await turn();
  expect(conductor.problem).toMatchObject({ code: "command_not_now" });
  expect(conductor.pending).toBeNull();

  void conductor.give("close");
  await turn();
  finish();
  await turn();
  expect(conductor.problem).toBeNull();
});
