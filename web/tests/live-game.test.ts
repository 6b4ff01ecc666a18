import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LiveGame } from "../src/lib/live-game.svelte.ts";
import { Login } from "../src/lib/login.ts";
import type { Game, MyResult } from "../src/lib/messages.ts";
import type { QuizSocket } from "../src/lib/socket.ts";
import { FakeSocket } from "./fake-socket.ts";
import { gameOf, openGame, resultOf, revealGame } from "./game.ts";
import { memoryStorage } from "./memory-storage.ts";

let socket: FakeSocket;
/** What the server would say now. */
let game: Game;
let result: MyResult;

const asked = (name: string) => socket.asked.filter((each) => each === name).length;
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

async function entered(participantId: string | null): Promise<LiveGame> {
  const seat = { quizSessionId: "s", login: new Login("host"), participantId };
  const live = new LiveGame(seat, () => socket as unknown as QuizSocket, undefined, () => 0);
  socket.connect();
  await pass(0);
  return live;
}
const host = () => entered(null);
const player = () => entered("me");

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("localStorage", memoryStorage());
  vi.stubGlobal("fetch", async () => new Response(JSON.stringify({})));
  game = gameOf();
  result = resultOf(1);
  socket = new FakeSocket();
  socket.answer = (name) => {
    if (name === "get_game") return game;
    if (name === "get_my_result") return result;
    const board = { quiz_session_id: "s", epoch: "e", version: 1, participants: 0, rows: [] };
    return name === "enter_session" ? { ...board, game } : {};
  };
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the game", () => {
  test("comes with the room, and again at each connect", async () => {
    const live = await host();
    expect(live.game?.phase).toBe("lobby");
    socket.drop();
    game = openGame(7);
    socket.connect();
    await pass(0);
    expect(live.game).toMatchObject({ step: 7, phase: "question" });
  });

  test("follows the newest step: what was overtaken on its way changes nothing", async () => {
    const live = await host();
    socket.say("game_update", openGame(5));
    socket.say("game_update", gameOf({ step: 4 }));
    expect(live.game).toMatchObject({ step: 5, phase: "question" });
  });

  test("of the same step, the later one has the newer counts", async () => {
    const live = await host();
    socket.say("game_update", openGame(5));
    socket.say("game_update", openGame(5, { answered: 9 }));
    expect(live.game?.answered).toBe(9);
  });

  test("of another quiz session is none of ours", async () => {
    const live = await host();
    socket.say("game_update", openGame(5, { quiz_session_id: "another" }));
    socket.say("progress_update", { quiz_session_id: "another", step: 1, answered: 9, players: 9 });
    expect(live.game).toMatchObject({ step: 1, answered: 0 });
  });

  test("counts answers of its own step only", async () => {
    const live = await host();
    socket.say("game_update", openGame(5));
    socket.say("progress_update", { quiz_session_id: "s", step: 4, answered: 9, players: 9 });
    expect(live.game?.answered).toBe(0);
    socket.say("progress_update", { quiz_session_id: "s", step: 5, answered: 1, players: 3 });
    expect(live.game).toMatchObject({ step: 5, answered: 1, players: 3 });
  });

  test("knows in the lobby how many have come", async () => {
    const live = await host();
    const update = { quiz_session_id: "s", joined: ["Ada"], more: 0, participant_count: 8 };
    socket.say("players_update", update);
    expect(live.game?.players).toBe(8);
    expect(live.newcomers?.joined).toEqual(["Ada"]);
  });
});

describe("the clock", () => {
  test("counts down from the game's arrival, and stops at nothing left", async () => {
    const live = await host();
    socket.say("game_update", openGame(5));
    expect(live.closesInMs).toBe(20_000);
    await pass(5_000);
    expect(live.closesInMs).toBe(15_000);
    await pass(60_000);
    expect(live.closesInMs).toBe(0);
  });

  test("is not the device's: setting that changes nothing", async () => {
    const live = await host();
    socket.say("game_update", openGame(5));
    vi.setSystemTime(Date.now() + 3_600_000);
    await pass(1_000);
    expect(live.closesInMs).toBe(19_000);
  });

  test("stands still in a paused game, and goes on from there", async () => {
    const live = await host();
    socket.say("game_update", openGame(5));
    await pass(5_000);
    socket.say("game_update", openGame(6, { paused: true, closes_in_ms: 15_000 }));
    await pass(60_000);
    expect(live.closesInMs).toBe(15_000);
    socket.say("game_update", openGame(7, { closes_in_ms: 15_000 }));
    await pass(1_000);
    expect(live.closesInMs).toBe(14_000);
  });

  test("of the same step, the message that was shorter on its way is right", async () => {
    const live = await host();
    socket.say("game_update", openGame(5));
    await pass(1_000);
    socket.say("game_update", openGame(5, { closes_in_ms: 19_800 }));
    expect(live.closesInMs).toBe(19_000);
    socket.say("game_update", openGame(5, { closes_in_ms: 18_000 }));
    expect(live.closesInMs).toBe(18_000);
    socket.say("game_update", openGame(6, { closes_in_ms: 48_000 }));
    expect(live.closesInMs).toBe(48_000);
  });

  test("keeps nothing running when nothing runs out", async () => {
    await host();
    const idle = vi.getTimerCount();
    socket.say("game_update", openGame(5));
    expect(vi.getTimerCount()).toBe(idle + 1);
    socket.say("game_update", openGame(6, { paused: true, closes_in_ms: 15_000 }));
    expect(vi.getTimerCount()).toBe(idle);
  });
});

describe("news that did not come", () => {
  test("are asked for a second after the phase should have ended, and not in a storm", async () => {
    const live = await host();
    socket.say("game_update", openGame(5, { closes_in_ms: 5_000 }));
    await pass(5_900);
    expect(asked("get_game")).toBe(0);
    game = openGame(5, { closes_in_ms: 0 });
    await pass(60_000);
    expect(asked("get_game")).toBeGreaterThan(5);
    expect(asked("get_game")).toBeLessThanOrEqual(21);
    game = revealGame(6);
    await pass(4_000);
    expect(live.game?.phase).toBe("reveal");
  });

  test("are not missed while somebody has extra time", async () => {
    await host();
    socket.say("game_update", openGame(5, { closes_in_ms: 5_000, next_in_ms: 10_000 }));
    await pass(10_900);
    expect(asked("get_game")).toBe(0);
    await pass(400);
    expect(asked("get_game")).toBe(1);
  });

  test("are asked for when the page is looked at again", async () => {
    const page = Object.assign(new EventTarget(), { visibilityState: "hidden" });
    vi.stubGlobal("document", page);
    const live = await host();
    game = openGame(5);
    page.dispatchEvent(new Event("visibilitychange"));
    await pass(1_000);
    expect(live.game?.step).toBe(1);
    page.visibilityState = "visible";
    page.dispatchEvent(new Event("visibilitychange"));
    await pass(1_000);
    expect(live.game?.step).toBe(5);
  });

  test("are asked for now and then in a long silence: a message may be lost for good", async () => {
    const live = await host();
    game = openGame(5);
    await pass(29_000);
    expect(asked("get_game")).toBe(0);
    await pass(2_000);
    expect(live.game?.step).toBe(5);
  });

  test("are not asked for once the screen is left", async () => {
    const live = await host();
    socket.say("game_update", openGame(5));
    live.close();
    await pass(120_000);
    expect(asked("get_game")).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a player's result", () => {
  test("is asked for on entering: the answer given before a reload is there again", async () => {
    game = openGame(5);
    result = resultOf(5, { answered: { answer: 1, correct: null, score: null } });
    const live = await player();
    await pass(300);
    expect(live.result?.answered?.answer).toBe(1);
  });

  test("is asked for once after a reveal, however many messages follow", async () => {
    const live = await player();
    await pass(1_000);
    const before = asked("get_my_result");
    result = resultOf(6, { score: 80, rank: 1 });
    for (let message = 0; message < 20; message++) {
      socket.say("game_update", revealGame(6, { answered: message }));
      await pass(50);
    }
    await pass(1_000);
    expect(asked("get_my_result")).toBe(before + 1);
    expect(live.result).toMatchObject({ score: 80, rank: 1 });
    result = resultOf(7, { score: 80, rank: 1 });
    socket.say("game_update", revealGame(7, { phase: "board" }));
    await pass(1_000);
    expect(asked("get_my_result")).toBe(before + 1);
    result = resultOf(8, { score: 80, rank: 1 });
    socket.say("game_update", gameOf({ step: 8, phase: "podium" }));
    await pass(1_000);
    expect(asked("get_my_result")).toBe(before + 2);
  });

  test("that is behind the reveal is asked for again, not for ever", async () => {
    const live = await player();
    await pass(1_000);
    const before = asked("get_my_result");
    result = resultOf(5, { answered: { answer: 0, correct: null, score: null } });
    socket.say("game_update", revealGame(6));
    await pass(600);
    result = resultOf(6, { answered: { answer: 0, correct: true, score: 90 } });
    await pass(2_000);
    expect(live.result?.answered?.score).toBe(90);
    expect(asked("get_my_result")).toBeLessThanOrEqual(before + 3);
    result = resultOf(6);
    socket.say("game_update", gameOf({ step: 9, phase: "podium" }));
    await pass(120_000);
    expect(asked("get_my_result")).toBeLessThanOrEqual(before + 10);
  });

  test("is not a host's to ask for", async () => {
    await host();
    socket.say("game_update", revealGame(6));
    await pass(2_000);
    expect(asked("get_my_result")).toBe(0);
  });
});

test("a player who was away when removed learns it from the next refusal", async () => {
  const live = await player();
  await pass(1_000);
  socket.refusal = "not_joined";
  live.refresh();
  await pass(1_000);
  expect(live.refusal?.code).toBe("not_joined");
});

test("a player who was removed is told so", async () => {
  const live = await player();
  socket.say("removed", { quiz_session_id: "another", banned: false });
  expect(live.refusal).toBeNull();
  socket.say("removed", { quiz_session_id: "s", banned: true });
  expect(live.refusal?.code).toBe("banned");
});

describe("a command", () => {
  const sent: { command: string; step: number; ms?: number }[] = [];
  const answering = (answer: () => Response) =>
    vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
      if (!path.endsWith("/game")) return new Response("{}");
      sent.push(JSON.parse(String(init.body)));
      return answer();
    });
  beforeEach(() => {
    sent.length = 0;
    const tokens = { user_id: "h", access_token: "a", refresh_token: "r", expires_in: 900 };
    new Login("host").save({ ...tokens, token_type: "Bearer" }, "Host");
  });

  test("carries the step on the screen, and its answer is the game", async () => {
    answering(() => new Response(JSON.stringify(openGame(2))));
    const live = await host();
    await live.command("add_time", { ms: 10_000 });
    expect(sent).toEqual([{ command: "add_time", step: 1, ms: 10_000 }]);
    expect(live.game?.step).toBe(2);
  });

  test("clicked twice is sent once", async () => {
    answering(() => new Response(JSON.stringify(openGame(2))));
    const live = await host();
    await Promise.all([live.command("start"), live.command("start")]);
    expect(sent).toHaveLength(1);
    await live.command("start");
    expect(sent.map(({ step }) => step)).toEqual([1, 2]);
  });

  test("that is refused says why, and the screen asks where the game is", async () => {
    const refused = { code: "command_not_now", title: "Not now" };
    answering(() => new Response(JSON.stringify(refused), { status: 409 }));
    const live = await host();
    game = openGame(4);
    await expect(live.command("start")).rejects.toMatchObject({ code: "command_not_now" });
    await pass(2_500);
    expect(live.game?.step).toBe(4);
  });
});
