/**
 * Every shape on the wire, by direction. The server's side of the same contract is docs/messages.md.
 * Times are epoch milliseconds; names ending in `_ms` are durations.
 */

export type QuestionType = "choice" | "multi_choice" | "true_false" | "typed";
export type Answer = number | number[] | boolean | string;
/** What the key of a question holds; a typed question accepts any of several strings. */
export type RightAnswer = number | number[] | boolean | string | string[];

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
  answer: RightAnswer;
  points?: number;
  time_limit_ms?: number;
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
  answer: RightAnswer;
  points: number;
  time_limit_ms: number | null;
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
  mode: "self_paced";
  state: QuizSessionState;
  pin: string | null;
  question_count: number;
  participant_count: number;
  answer_count: number;
  opened_at: number;
  closed_at: number | null;
}

export interface Participant {
  quiz_session_participant_id: string;
  name: string;
}

export interface Answered {
  answer: Answer;
  correct: boolean;
  score: number;
  /** null while the server keeps it, or before this client has asked. */
  right_answer: RightAnswer | null;
}

export interface Question {
  question_id: string;
  type: QuestionType;
  prompt: string;
  choices: string[] | null;
  points: number;
  time_limit_ms: number | null;
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

export interface ClientMessages {
  enter_session(body: { quiz_session_id: string }, acknowledge: Acknowledge<Snapshot>): void;
  leave_session(body: { quiz_session_id: string }, acknowledge: Acknowledge<object>): void;
  get_leaderboard(query: LeaderboardQuery, acknowledge: Acknowledge<Snapshot>): void;
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

export interface ServerMessages {
  leaderboard_updating(message: LeaderboardUpdating): void;
  score_update(message: ScoreUpdate): void;
  session_update(message: SessionUpdate): void;
}
