/**
 * Every shape on the wire, by direction. The server's side of the same contract is docs/messages.md.
 * Times are epoch milliseconds; names ending in `_ms` are durations.
 */

export type QuestionType =
  | "choice"
  | "multi_choice"
  | "true_false"
  | "typed"
  | "order"
  | "numeric"
  | "poll"
  | "word_cloud"
  | "info";
export type Answer = number | number[] | boolean | string;
/** What the key of a question holds; a typed question accepts any of several strings. */
export type RightAnswer = number | number[] | boolean | string | string[];

/** An image beside a question, and what it shows in words. */
export interface Picture {
  image_id: string;
  alt: string;
}

// Auth server

export interface Tokens {
  user_id: string;
  access_token: string;
  refresh_token: string;
  token_type: "Bearer";
  expires_in: number;
}

export interface User {
  user_id: string;
  name: string;
  role: "guest" | "account";
  email?: string;
}

// Quizzes

export interface QuizSummary {
  quiz_id: string;
  title: string;
  language: string;
  question_count: number;
  created_at: number;
  updated_at: number;
}

export interface QuestionBody {
  type: QuestionType;
  prompt: string;
  choices?: string[];
  answer?: RightAnswer;
  tolerance?: number;
  points?: number;
  time_limit_ms?: number;
  image?: Picture;
  explanation?: string;
}

export interface QuizBody {
  title: string;
  language?: string;
  questions: QuestionBody[];
}

export interface StoredQuestion {
  question_id: string;
  type: QuestionType;
  prompt: string;
  choices: string[] | null;
  answer: RightAnswer | null;
  points: number;
  time_limit_ms: number | null;
  image?: Picture;
  explanation?: string;
  tolerance?: number;
}

export interface Quiz {
  quiz_id: string;
  title: string;
  language: string;
  created_at: number;
  updated_at: number;
  questions: StoredQuestion[];
}

// Quiz sessions

export type QuizSessionState = "open" | "finished";

export interface QuizSession {
  quiz_session_id: string;
  title: string;
  language: string;
  mode: "self_paced" | "live";
  state: QuizSessionState;
  pin: string | null;
  question_count: number;
  participant_count: number;
  answer_count: number;
  opened_at: number;
  closed_at: number | null;
  /** What somebody who wants in has to know of a live session; null for a self-paced one. */
  live: Doorplate | null;
}

export interface Doorplate {
  names: NameRule;
  teams: string[];
  phones: Phones;
}

export interface Participant {
  quiz_session_participant_id: string;
  name: string;
}

export interface Answered {
  answer: Answer;
  correct: boolean;
  score: number;
  /** null while the server keeps it, before this client has asked, and where nothing is right or wrong. */
  right_answer: RightAnswer | null;
  explanation?: string;
  tolerance?: number;
}

export interface Question {
  question_id: string;
  type: QuestionType;
  prompt: string;
  choices: string[] | null;
  points: number;
  time_limit_ms: number | null;
  image?: Picture | null;
  /** Whether the answer will be explained; the explanation comes with the key. */
  explained?: true;
  answered: Answered | null;
}

export interface QuestionSheet {
  quiz_session_id: string;
  title: string;
  language: string;
  state: QuizSessionState;
  me: Participant | null;
  questions: Question[];
}

export interface AnswerBody {
  quiz_session_id: string;
  question_id: string;
  answer: Answer;
  answer_id: string;
}

export interface AnswerOutcome {
  participant_answer_id: string;
  correct: boolean;
  score: number;
  receipt: string | null;
}

/** In a live session nothing is said of an answer before the reveal. */
export interface HeldOutcome {
  participant_answer_id: string;
  correct: null;
  score: null;
  receipt: string | null;
}

export interface JoinBody {
  name?: string;
  team?: string;
}

// The live game

export type Scoring = "accuracy" | "speed" | "fair";
/** Whether phones show a question's text, or only the shapes to tap. */
export type Phones = "full" | "shapes";
/** Whether players choose their names, past a filter or not, or are given one. */
export type NameRule = "free" | "filtered" | "generated";
export type TeamScore = "average" | "sum";

/** How a live session is played; what is left out has the server's default. */
export interface GameOptions {
  scoring?: Scoring;
  streak_bonus?: boolean;
  partial_credit?: boolean;
  latency_credit?: boolean;
  shuffle_choices?: boolean;
  auto_advance?: boolean;
  close_when_all_answered?: boolean;
  late_join?: boolean;
  phones?: Phones;
  names?: NameRule;
  teams?: string[];
  team_score?: TeamScore;
}

export type GamePhase =
  | "lobby"
  | "countdown"
  | "question"
  | "reveal"
  | "board"
  | "podium"
  | "finished";

export type LiveQuestionType = QuestionType;

/** A question as everybody sees it, without the key. */
export interface LiveQuestion {
  question_id: string;
  type: LiveQuestionType;
  prompt: string;
  /** In the order of this session; null in the countdown, and for types that have none. */
  choices: string[] | null;
  image: Picture | null;
  points: number;
  time_limit_ms: number | null;
}

/** How often an answer was given: `answer` is a place among the choices, a truth, or a text. */
export interface AnswerCount {
  answer: number | boolean | string;
  count: number;
}

export interface Reveal {
  /** null where no answer is the right one: poll, word_cloud. */
  right_answer: RightAnswer | null;
  explanation: string | null;
  distribution: AnswerCount[];
  answered: number;
  right: number;
}

export interface TeamRow {
  rank: number;
  team: string;
  score: number;
  players: number;
}

/**
 * The whole game as every screen sees it. It grows by steps: the game with the highest `step` is the
 * newest, and of two with the same step the later one has the newer counts. Times are durations
 * from the moment it was sent; while it is `paused` they stand still.
 */
export interface Game {
  quiz_session_id: string;
  step: number;
  phase: GamePhase;
  title: string;
  language: string;
  /** From 0; null in the lobby. */
  question_index: number | null;
  question_count: number;
  question: LiveQuestion | null;
  opens_in_ms: number | null;
  closes_in_ms: number | null;
  /** When the game moves on by itself. */
  next_in_ms: number | null;
  paused: boolean;
  auto_advance: boolean;
  locked: boolean;
  answered: number;
  players: number;
  scoring: Scoring;
  phones: Phones;
  teams: string[];
  reveal: Reveal | null;
  team_board: TeamRow[] | null;
  pin: string | null;
}

export type GameCommand =
  | "start"
  | "next"
  | "close"
  | "skip"
  | "pause"
  | "resume"
  | "add_time"
  | "end"
  | "lock"
  | "unlock"
  | "auto_on"
  | "auto_off";

/** One player's own side of the game, and of nobody else's. */
export interface MyResult {
  step: number;
  question_id: string | null;
  /** `score` is null until the reveal, `correct` also where no answer is the right one. */
  answered: { answer: Answer; correct: boolean | null; score: number | null } | null;
  right_answer: RightAnswer | null;
  /** Right answers in a row. */
  streak: number;
  score: number;
  rank: number | null;
  players: number;
  /** The next better place, and the points that are missing to it. */
  next: { rank: number; points: number } | null;
  name: string;
  team: string | null;
  /** How much longer than the others this player may take. */
  extra_time_percent: number;
}

// Who takes part in a live session, and who leads it: for its hosts

export interface LobbyPlayer {
  quiz_session_participant_id: string;
  name: string;
  team: string | null;
  extra_time_percent: number;
  joined_at: number;
  /** Connected just now. */
  here: boolean;
}

export interface PlayerList {
  participants: LobbyPlayer[];
  count: number;
}

export type PlayerAction =
  | { action: "kick" | "ban" }
  | { action: "rename"; name: string }
  | { action: "extra_time"; percent: number }
  | { action: "team"; team: string };

/** Who may lead a session: who opened it, and the co-hosts. */
export interface SessionHost {
  user_id: string;
  name: string;
  role: "host" | "co_host";
}

// Results, for the host (docs/results.md)

export interface Share {
  answer: string;
  count: number;
  /** null where nothing is right or wrong. */
  right: boolean | null;
}

export interface QuestionResults {
  question_id: string;
  position: number;
  type: QuestionType;
  prompt: string;
  right_answer: string | null;
  points: number;
  time_limit_ms: number | null;
  asked: boolean;
  answered: number;
  right: number | null;
  share_right: number | null;
  median_ms: number | null;
  mean_ms: number | null;
  distribution: Share[];
}

export interface AnswerResults {
  answer: string;
  correct: boolean | null;
  score: number;
  response_ms: number | null;
}

export interface ParticipantResults {
  rank: number | null;
  quiz_session_participant_id: string;
  name: string;
  team: string | null;
  removed: boolean;
  score: number;
  right: number;
  answered: number;
  answers: Record<string, AnswerResults>;
}

export interface Results {
  session: {
    quiz_session_id: string;
    title: string;
    language: string;
    mode: "self_paced" | "live";
    state: QuizSessionState;
    scoring: string;
    teams: string[];
    opened_at: number;
    closed_at: number | null;
    participant_count: number;
  };
  questions: QuestionResults[];
  hardest: string[];
  /** All participants; `participants` may be a part of them. */
  count: number;
  participants: ParticipantResults[];
}

/** The board at one moment: those who lead in the end. */
export interface BoardMoment {
  at_ms: number;
  question_index: number | null;
  rows: Row[];
}

export type FileKind = "csv" | "xlsx" | "json";

// Leaderboard

export interface Row {
  rank: number;
  quiz_session_participant_id: string;
  name: string;
  score: number;
}

export interface Snapshot {
  quiz_session_id: string;
  epoch: string;
  version: number;
  participants: number;
  rows: Row[];
  me?: Row;
}

// Socket.IO, client to server

export interface Refusal {
  ok: false;
  code: string;
  title: string;
}

export type Acknowledged<T> = ({ ok: true } & T) | Refusal;
type Acknowledge<T> = (reply: Acknowledged<T>) => void;

export interface LeaderboardQuery {
  quiz_session_id: string;
  limit?: number;
  offset?: number;
  around?: "me";
}

/** The board; of a live session, the game as well. */
export type Entered = Snapshot & { game?: Game };

export interface ClientMessages {
  enter_session(body: { quiz_session_id: string }, acknowledge: Acknowledge<Entered>): void;
  leave_session(body: { quiz_session_id: string }, acknowledge: Acknowledge<object>): void;
  get_leaderboard(query: LeaderboardQuery, acknowledge: Acknowledge<Snapshot>): void;
  get_game(body: { quiz_session_id: string }, acknowledge: Acknowledge<Game>): void;
  get_my_result(body: { quiz_session_id: string }, acknowledge: Acknowledge<MyResult>): void;
  renew_token(body: { token: string }, acknowledge: Acknowledge<object>): void;
}

// Socket.IO, server to the room of a quiz session

export type LeaderboardUpdating = Omit<Snapshot, "me">;

export interface ScoreUpdate {
  quiz_session_id: string;
  changes: { quiz_session_participant_id: string; question_id: string; score: number }[];
  more: number;
}

export interface SessionUpdate {
  quiz_session_id: string;
  state: QuizSessionState;
  participant_count: number;
}

/** Counts only, while a question is open; of the game with that `step`. */
export interface ProgressUpdate {
  quiz_session_id: string;
  step: number;
  answered: number;
  players: number;
}

/** Who came in since the last one: the newest names, and how many more. */
export interface PlayersUpdate {
  quiz_session_id: string;
  joined: string[];
  more: number;
  participant_count: number;
}

/** To the sockets of a player whom the host has taken out, and to no others. */
export interface Removed {
  quiz_session_id: string;
  banned: boolean;
}

export interface ServerMessages {
  leaderboard_updating(message: LeaderboardUpdating): void;
  score_update(message: ScoreUpdate): void;
  session_update(message: SessionUpdate): void;
  game_update(message: Game): void;
  progress_update(message: ProgressUpdate): void;
  players_update(message: PlayersUpdate): void;
  removed(message: Removed): void;
}
