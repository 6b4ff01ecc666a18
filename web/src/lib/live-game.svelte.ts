import { pause, pauseMs } from "./backoff.ts";
import { type Deadlines, deadlinesOf, earlierOf, endOf, leftMs, noDeadlines } from "./game-clock.ts";
import { LiveSession, type Seat } from "./live-session.svelte.ts";
import type { Login } from "./login.ts";
import type { Game, GameCommand, MyResult, PlayersUpdate, ProgressUpdate } from "./messages.ts";
import { Problem } from "./problem.ts";
import { openSocket, type QuizSocket } from "./socket.ts";
import { SpacedCall } from "./spaced-call.ts";

const ACKNOWLEDGEMENT_MS = 8_000;
const TICK_MS = 100;
const NEWS = { everyMs: 2_000, jitterMs: 300 };
const RESULT = { everyMs: 250, jitterMs: 300 };
const RESULT_RETRY = { firstMs: 500, limitMs: 5_000 };
const RESULT_TRIES = 6;
/** How long after a phase should have ended its news is given, before it is asked for. */
const OVERDUE_MS = 1_000;
const OVERDUE_AGAIN_MS = 3_000;
/** A room message may be lost for good. */
const SILENCE_MS = 30_000;
/** Refusals that mean: not, or no longer, in this game. */
const OUTSIDE = new Set(["not_joined", "not_the_host", "banned", "session_not_found"]);

/**
 * The game of a live session as this screen knows it, over the session's one socket. The newest step
 * wins; what may have been missed is asked for: after each connect, when the page is looked at
 * again, and when a phase outlives its end.
 */
export class LiveGame {
  game = $state.raw<Game | null>(null);
  /** A player's own side; stays null for a host. */
  result = $state.raw<MyResult | null>(null);
  /** The last who came in, while the lobby is open. */
  newcomers = $state.raw<PlayersUpdate | null>(null);
  readonly session: LiveSession;

  #deadlines = $state.raw<Deadlines>(noDeadlines);
  #now = $state(0);
  #removal = $state.raw<Problem | null>(null);
  readonly #socket: QuizSocket;
  readonly #news = new SpacedCall(() => void this.#askGame(), NEWS);
  readonly #results = new SpacedCall(() => void this.#askResult(0), RESULT);
  readonly #underWay = new Map<string, Promise<void>>();
  #resultOf: string | null = null;
  #hereOf = $state.raw<string | null>(null);
  #ticking: ReturnType<typeof setInterval> | undefined;
  #watching: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(
    readonly seat: Seat,
    socketOf: (login: Login) => QuizSocket = openSocket,
    readonly clock: () => number = () => performance.now(),
    readonly random: () => number = Math.random,
  ) {
    const socket = socketOf(seat.login);
    this.#socket = socket;
    // A player's own place comes with the result, after each reveal: no row need be followed.
    this.session = new LiveSession({ ...seat, participantId: null }, () => socket);
    this.session.onEntered = ({ game }) => {
      if (game) this.#adopt(game);
      else this.#news.ask();
      if (this.#isPlayer) this.#results.ask();
    };
    socket.on("game_update", (game) => this.#adopt(game));
    socket.on("progress_update", (progress) => this.#count(progress));
    socket.on("players_update", (update) => this.#welcome(update));
    socket.on("removed", ({ quiz_session_id, banned }) => {
      if (quiz_session_id === seat.quizSessionId) this.refused(banned ? "banned" : "not_joined", "");
    });
    globalThis.document?.addEventListener("visibilitychange", this.#looked);
  }

  get isLive(): boolean {
    return this.session.isLive;
  }

  /** Why this screen has no place in the game: never joined, removed, not the host. */
  get refusal(): Problem | null {
    return this.session.refusal ?? this.#removal;
  }

  /** Until the question opens, in the countdown. */
  get opensInMs(): number | null {
    return this.#left(this.game?.opens_in_ms, this.#deadlines.opensAt);
  }

  /** Until the question closes; 0 when it is over and the news is still on its way. */
  get closesInMs(): number | null {
    return this.closesLaterInMs(0);
  }

  /** Until the game moves on by itself; while a question is open, until nobody may answer any more. */
  get nextInMs(): number | null {
    return this.#left(this.game?.next_in_ms, this.#deadlines.nextAt);
  }

  /** Until the question closes for a player who has so much longer than the others. */
  closesLaterInMs(extraMs: number): number | null {
    const ms = this.game?.closes_in_ms ?? null;
    const at = this.#deadlines.closesAt;
    return this.#left(ms === null ? null : ms + extraMs, at === null ? null : at + extraMs);
  }

  /** Whether `result` is of the reveal, or the end, that is shown, and not of something before it. */
  get isResultHere(): boolean {
    return this.game !== null && wantedResult(this.game) === this.#hereOf;
  }

  /**
   * A host's command about the game as it is on the screen: if it has moved on meanwhile, by another
   * click or another screen, nothing happens. Throws the Problem of a refusal.
   */
  command(command: GameCommand, fields: { ms?: number } = {}): Promise<void> {
    const step = this.game?.step;
    if (step === undefined) return Promise.resolve();
    const key = `${command} ${step}`;
    const sent = this.#underWay.get(key) ?? this.#send({ command, step, ...fields });
    this.#underWay.set(key, sent);
    return sent.finally(() => this.#underWay.delete(key));
  }

  /** Asks for all there is; for a screen that was told it is behind. */
  refresh(): void {
    this.#news.ask();
    if (this.#isPlayer) this.#results.ask();
  }

  /** Takes note of a refusal that came another way: of an answer, say. */
  refused(code: string, title: string): void {
    if (OUTSIDE.has(code)) this.#removal = new Problem(code, 403, title);
  }

  close(): void {
    this.#closed = true;
    globalThis.document?.removeEventListener("visibilitychange", this.#looked);
    this.#news.cancel();
    this.#results.cancel();
    clearInterval(this.#ticking);
    clearTimeout(this.#watching);
    this.session.close();
  }

  get #isPlayer(): boolean {
    return this.seat.participantId !== null;
  }

  readonly #looked = () => {
    if (document.visibilityState !== "visible") return;
    this.#now = this.clock();
    this.#news.ask();
  };

  async #send(body: object): Promise<void> {
    const path = `/quiz-session/${this.seat.quizSessionId}/game`;
    try {
      this.#adopt(await this.seat.login.call<Game>({ method: "POST", path, body }));
    } catch (error) {
      // Refused because the game is not where this screen thinks it is, most likely.
      this.#news.ask();
      throw error;
    }
  }

  #adopt(game: Game): void {
    if (this.#closed || game.quiz_session_id !== this.seat.quizSessionId) return;
    const shown = this.game;
    if (shown !== null && game.step < shown.step) return;
    const now = this.clock();
    const deadlines = deadlinesOf(game, now);
    const isSameStep = shown?.step === game.step;
    this.#deadlines = isSameStep ? earlierOf(this.#deadlines, deadlines) : deadlines;
    this.game = game;
    this.#tick(now);
    this.#watch();
    this.#wantResult(game);
  }

  #count({ quiz_session_id, step, answered, players }: ProgressUpdate): void {
    if (quiz_session_id !== this.seat.quizSessionId || step !== this.game?.step) return;
    this.game = { ...this.game, answered, players };
  }

  #welcome(update: PlayersUpdate): void {
    if (update.quiz_session_id !== this.seat.quizSessionId) return;
    this.newcomers = update;
    if (this.game?.phase !== "lobby") return;
    this.game = { ...this.game, players: update.participant_count };
  }

  #left(ms: number | null | undefined, at: number | null): number | null {
    if (ms === null || ms === undefined) return null;
    return at === null ? ms : leftMs(at, this.#now);
  }

  /** Moves the clock on the screen, for as long as something on it still runs out. */
  #tick(now: number): void {
    this.#now = now;
    clearInterval(this.#ticking);
    const runsUntil = Math.max(...Object.values(this.#deadlines).map((at: number | null) => at ?? 0));
    if (runsUntil <= now) return;
    this.#ticking = setInterval(() => {
      this.#now = this.clock();
      if (this.#now >= runsUntil) clearInterval(this.#ticking);
    }, TICK_MS);
  }

  /** Asks for news if none has come when it should have. */
  #watch(): void {
    clearTimeout(this.#watching);
    if (this.#closed || this.game === null) return;
    this.#watching = setTimeout(() => {
      this.#news.ask();
      this.#watch();
    }, this.#patienceMs());
  }

  #patienceMs(): number {
    const at = endOf(this.#deadlines);
    if (at === null) return SILENCE_MS * (1 + this.random() / 2);
    const left = leftMs(at, this.clock());
    return left > 0 ? left + OVERDUE_MS : OVERDUE_AGAIN_MS * (1 + this.random());
  }

  async #askGame(): Promise<void> {
    if (!this.#socket.connected) return;
    try {
      const reply = await this.#ask().emitWithAck("get_game", this.#body);
      if (reply.ok) this.#adopt(reply);
      else this.refused(reply.code, reply.title);
    } catch {
      // No acknowledgement in time: the watch asks again, or the next connect does.
    }
  }

  /** Once for each reveal, and once for the end. */
  #wantResult(game: Game): void {
    const wanted = wantedResult(game);
    if (!this.#isPlayer || wanted === this.#resultOf) return;
    this.#resultOf = wanted;
    if (wanted !== null) this.#results.ask();
  }

  async #askResult(attempt: number): Promise<void> {
    if (this.#closed || !this.#socket.connected) return;
    const wanted = this.#resultOf;
    const step = this.game?.step ?? 0;
    try {
      const reply = await this.#ask().emitWithAck("get_my_result", this.#body);
      if (!reply.ok) return this.refused(reply.code, reply.title);
      if (reply.step >= (this.result?.step ?? 0)) this.result = reply;
      const isLast = attempt + 1 === RESULT_TRIES;
      if (reply.step >= step || isLast) this.#hereOf = wanted;
      if (reply.step >= step) return;
    } catch {
      // As for one that is behind the game we know: once more, unless something newer is asked for.
    }
    await pause(pauseMs(RESULT_RETRY, attempt, this.random));
    if (wanted === this.#resultOf && attempt + 1 < RESULT_TRIES) await this.#askResult(attempt + 1);
  }

  get #body() {
    return { quiz_session_id: this.seat.quizSessionId };
  }

  #ask() {
    return this.#socket.timeout(ACKNOWLEDGEMENT_MS);
  }
}

/** What a player's result should be of: the question that was revealed, or the whole quiz. */
function wantedResult({ phase, question_index }: Game): string | null {
  switch (phase) {
    case "lobby":
    case "countdown":
    case "question":
      return null;
    case "reveal":
    case "board":
      return `question ${question_index}`;
    case "podium":
    case "finished":
      return "end";
  }
}
