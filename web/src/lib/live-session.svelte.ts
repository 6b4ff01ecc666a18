import { open } from "./api.ts";
import { pause, pauseMs } from "./backoff.ts";
import { adopt, type Board, judge, laterOf } from "./board.ts";
import type { Login } from "./login.ts";
import type { Entered, LeaderboardUpdating, QuizSession, Row, SessionUpdate } from "./messages.ts";
import { Problem } from "./problem.ts";
import { openSocket, type QuizSocket } from "./socket.ts";
import { SpacedCall } from "./spaced-call.ts";

const ACKNOWLEDGEMENT_MS = 8_000;
const OWN_ROW = { everyMs: 3_000, jitterMs: 1_500 };
// The counts one reads are up to a second old: read sooner than that, the last answer would never be among them.
const COUNTS = { everyMs: 0, afterMs: 1_500, jitterMs: 0 };
const TEMPORARY = new Set(["busy", "unavailable", "internal"]);
const RETRY = { firstMs: 1_000, limitMs: 15_000 };

export interface Seat {
  quizSessionId: string;
  login: Login;
  /** The participant whose own row is followed; null for a host, who has none. */
  participantId: string | null;
}

/** What a quiz session looks like right now: its board, its counts, and whether we hear of changes. */
export class LiveSession {
  board = $state.raw<Board | null>(null);
  me = $state.raw<Row | null>(null);
  quizSession = $state.raw<QuizSession | null>(null);
  isLive = $state(false);
  /** Why the room cannot be entered at all: not joined, not the host, no such quiz session. */
  refusal = $state.raw<Problem | null>(null);
  /** Called with what each entering brought, after it is shown here. */
  onEntered: (entered: Entered) => void = () => {};

  readonly #socket: QuizSocket;
  readonly #ownRow = new SpacedCall(() => void this.#askOwnRow(), OWN_ROW);
  readonly #counts = new SpacedCall(() => void this.#readQuizSession(), COUNTS);
  #held: LeaderboardUpdating | null = null;
  #entering = false;
  #closed = false;

  constructor(
    readonly seat: Seat,
    socketOf: (login: Login) => QuizSocket = openSocket,
  ) {
    this.#socket = socketOf(seat.login);
    this.#socket.on("connect", () => void this.#enter());
    this.#socket.on("disconnect", () => (this.isLive = false));
    this.#socket.on("leaderboard_updating", (message) => this.#receive(message));
    this.#socket.on("session_update", (message) => this.#update(message));
    this.#socket.on("score_update", ({ quiz_session_id }) => {
      if (quiz_session_id === seat.quizSessionId) this.#followCounts();
    });
  }

  close(): void {
    this.#closed = true;
    this.#ownRow.cancel();
    this.#counts.cancel();
    this.#socket.emit("leave_session", { quiz_session_id: this.seat.quizSessionId }, () => {});
    this.#socket.close();
  }

  async #enter(): Promise<void> {
    if (this.#entering) return;
    this.#entering = true;
    const body = { quiz_session_id: this.seat.quizSessionId };
    for (let attempt = 0; this.#socket.connected && !this.#closed; attempt++) {
      try {
        const reply = await this.#ask().emitWithAck("enter_session", body);
        if (reply.ok && this.#adopt(reply)) break;
        if (!reply.ok && !TEMPORARY.has(reply.code)) {
          this.refusal = new Problem(reply.code, 403, reply.title);
          break;
        }
      } catch {
        // No acknowledgement in time; ask again as long as the connection stands.
      }
      await pause(pauseMs(RETRY, attempt));
    }
    this.#entering = false;
    if (!this.isLive) return;
    this.#followCounts();
    await this.#readQuizSession();
  }

  /** False if the snapshot was overtaken by a new epoch, and another one has to be asked for. */
  #adopt(snapshot: Entered): boolean {
    const held = this.#held;
    this.#held = null;
    this.board = adopt(this.board, snapshot, held);
    this.#followMe(snapshot.me ?? null);
    this.isLive = true;
    this.onEntered(snapshot);
    return held === null || held.epoch === this.board.epoch;
  }

  #receive(message: LeaderboardUpdating): void {
    if (message.quiz_session_id !== this.seat.quizSessionId) return;
    const verdict = judge(this.board, message);
    switch (verdict.is) {
      case "older":
        return;
      case "newer":
        this.board = verdict.board;
        this.#followMe(null);
        return;
      case "other_epoch":
        this.#held = laterOf(this.#held, message);
        void this.#enter();
    }
  }

  #update({ quiz_session_id, state, participant_count }: SessionUpdate): void {
    if (quiz_session_id !== this.seat.quizSessionId) return;
    if (this.quizSession === null) return this.#counts.ask();
    this.#show({ ...this.quizSession, state, participant_count });
    if (state === "finished") this.#counts.ask();
    else this.#followCounts();
  }

  /** Only the host shows how many there are; a room of phones asking would be a stampede. */
  #followCounts(): void {
    if (this.seat.participantId === null) this.#counts.ask();
  }

  #followMe(told: Row | null): void {
    const { participantId } = this.seat;
    if (participantId === null) return;
    const onBoard = this.board?.rows.find((row) => row.quiz_session_participant_id === participantId);
    this.me = onBoard ?? told ?? this.me;
    if (onBoard === undefined && told === null) this.#ownRow.ask();
  }

  async #askOwnRow(): Promise<void> {
    const quiz_session_id = this.seat.quizSessionId;
    try {
      const query = { quiz_session_id, limit: 1, around: "me" } as const;
      const reply = await this.#ask().emitWithAck("get_leaderboard", query);
      if (reply.ok && reply.me) this.me = reply.me;
    } catch {
      // The next message, or the next connect, asks again.
    }
  }

  async #readQuizSession(): Promise<void> {
    try {
      this.#show(await open.quizSession(this.seat.quizSessionId));
    } catch {
      // Counts are a courtesy here: what was last known stays on the screen.
    }
  }

  /** A quiz session never opens again: who says so was overtaken on the way. */
  #show(quizSession: QuizSession): void {
    if (this.quizSession?.state === "finished" && quizSession.state === "open") return;
    this.quizSession = quizSession;
  }

  #ask() {
    return this.#socket.timeout(ACKNOWLEDGEMENT_MS);
  }
}
