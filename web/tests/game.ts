import type { Game, LiveQuestion, MyResult, Reveal } from "../src/lib/messages.ts";

/** A game in its lobby, but for what the test says. */
export const gameOf = (fields: Partial<Game> = {}): Game => ({
  quiz_session_id: "s",
  step: 1,
  phase: "lobby",
  title: "Capitals",
  language: "en",
  question_index: null,
  question_count: 3,
  question: null,
  opens_in_ms: null,
  closes_in_ms: null,
  next_in_ms: null,
  paused: false,
  auto_advance: false,
  locked: false,
  answered: 0,
  players: 2,
  scoring: "speed",
  phones: "full",
  teams: [],
  reveal: null,
  team_board: null,
  pin: "123456",
  ...fields,
});

export const questionOf = (fields: Partial<LiveQuestion> = {}): LiveQuestion => ({
  question_id: "one",
  type: "choice",
  prompt: "The capital of Peru?",
  choices: ["Lima", "Quito"],
  image: null,
  points: 100,
  time_limit_ms: 20_000,
  ...fields,
});

/** A question that has just opened. */
export const openGame = (step: number, fields: Partial<Game> = {}): Game =>
  gameOf({
    step,
    phase: "question",
    question_index: 0,
    question: questionOf(),
    closes_in_ms: 20_000,
    ...fields,
  });

export const revealOf = (fields: Partial<Reveal> = {}): Reveal => ({
  right_answer: 0,
  explanation: null,
  distribution: [
    { answer: 0, count: 1 },
    { answer: 1, count: 1 },
  ],
  answered: 2,
  right: 1,
  ...fields,
});

export const revealGame = (step: number, fields: Partial<Game> = {}): Game =>
  openGame(step, { phase: "reveal", closes_in_ms: null, reveal: revealOf(), ...fields });

export const resultOf = (step: number, fields: Partial<MyResult> = {}): MyResult => ({
  step,
  question_id: "one",
  answered: null,
  right_answer: null,
  streak: 0,
  score: 0,
  rank: null,
  players: 2,
  next: null,
  name: "Ada",
  team: null,
  extra_time_percent: 0,
  ...fields,
});
