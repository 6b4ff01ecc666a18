import { host, player } from "./login.ts";
import type {
  AnswerBody,
  AnswerOutcome,
  BoardMoment,
  FileKind,
  HeldOutcome,
  JoinBody,
  Participant,
  PlayerAction,
  PlayerList,
  QuestionSheet,
  Quiz,
  QuizBody,
  QuizSession,
  QuizSessionState,
  QuizSummary,
  SessionHost,
  Results,
  Snapshot,
  Tokens,
  User,
} from "./messages.ts";
import { request } from "./request.ts";
import type { StartBody } from "./start-choices.ts";

/** What anyone may ask. */
export const open = {
  findPin: (pin: string) =>
    request<{ quiz_session_id: string }>({ method: "GET", path: `/pin/${encodeURIComponent(pin)}` }),
  quizSession: (quizSessionId: string) =>
    request<QuizSession>({ method: "GET", path: `/quiz-session/${quizSessionId}` }),
  suggestName: () => request<{ name: string }>({ method: "GET", path: "/names/suggestion" }),
};

/** What a participant asks. */
export const playing = {
  async beGuest(name: string): Promise<void> {
    const body = { name };
    player.save(await request<Tokens>({ method: "POST", path: "/auth/guest", body }), name);
  },
  join: (quizSessionId: string, body: JoinBody) =>
    player.call<Participant & { quiz_session_id: string }>({
      method: "POST",
      path: `/quiz-session/${quizSessionId}/join`,
      body,
    }),
  questions: (quizSessionId: string) =>
    player.call<QuestionSheet>({ method: "GET", path: `/quiz-session/${quizSessionId}/questions` }),
  answer: (body: AnswerBody) =>
    player.call<AnswerOutcome>({ method: "POST", path: "/update-score", body }),
  answerLive: (body: AnswerBody) =>
    player.call<HeldOutcome>({ method: "POST", path: "/update-score", body }),
};

/** What a host asks. */
export const hosting = {
  async register(email: string, password: string, name: string): Promise<void> {
    const body = { email, password, name };
    host.save(await request<Tokens>({ method: "POST", path: "/auth/register", body }), name);
  },
  async logIn(email: string, password: string): Promise<void> {
    const body = { email, password };
    const tokens = await request<Tokens>({ method: "POST", path: "/auth/login", body });
    const user = await request<User>({ method: "GET", path: "/auth/me" }, tokens.access_token);
    host.save(tokens, user.name);
  },
  async logOut(): Promise<void> {
    const login = host.stored;
    host.forget();
    if (login === null) return;
    const body = { refresh_token: login.refresh_token };
    await request<void>({ method: "POST", path: "/auth/logout", body }, login.access_token);
  },
  addImage: (image: Blob) =>
    host.call<{ image_id: string; width: number; height: number }>({
      method: "POST",
      path: "/images",
      body: image,
    }),
  quizzes: () => host.call<{ quizzes: QuizSummary[] }>({ method: "GET", path: "/quizzes" }),
  quiz: (quizId: string) => host.call<Quiz>({ method: "GET", path: `/quizzes/${quizId}` }),
  create: (body: QuizBody) =>
    host.call<{ quiz_id: string }>({ method: "POST", path: "/quizzes", body }),
  replace: (quizId: string, body: QuizBody) =>
    host.call<{ quiz_id: string }>({ method: "PUT", path: `/quizzes/${quizId}`, body }),
  remove: (quizId: string) => host.call<void>({ method: "DELETE", path: `/quizzes/${quizId}` }),
  quizSessions: () =>
    host.call<{ quiz_sessions: QuizSession[] }>({ method: "GET", path: "/quiz-session" }),
  start: (quizId: string, how: StartBody) =>
    host.call<{ quiz_session_id: string; pin: string }>({
      method: "POST",
      path: "/quiz-session",
      body: { quiz_id: quizId, ...how },
    }),
  players: (quizSessionId: string, { limit, offset }: { limit: number; offset: number }) =>
    host.call<PlayerList>({
      method: "GET",
      path: `/quiz-session/${quizSessionId}/participants?limit=${limit}&offset=${offset}`,
    }),
  actOn: (quizSessionId: string, participantId: string, body: PlayerAction) =>
    host.call<unknown>({
      method: "POST",
      path: `/quiz-session/${quizSessionId}/participants/${participantId}`,
      body,
    }),
  hosts: (quizSessionId: string) =>
    host.call<{ hosts: SessionHost[] }>({ method: "GET", path: `/quiz-session/${quizSessionId}/hosts` }),
  addCoHost: (quizSessionId: string, email: string) =>
    host.call<unknown>({
      method: "POST",
      path: `/quiz-session/${quizSessionId}/hosts`,
      body: { email },
    }),
  removeCoHost: (quizSessionId: string, userId: string) =>
    host.call<unknown>({ method: "DELETE", path: `/quiz-session/${quizSessionId}/hosts/${userId}` }),
  standing: (quizSessionId: string, limit: number) =>
    host.call<Snapshot>({
      method: "GET",
      path: `/quiz-session/${quizSessionId}/leaderboard?limit=${limit}`,
    }),
  results: (quizSessionId: string, { limit, offset }: { limit: number; offset: number }) =>
    host.call<Results>({
      method: "GET",
      path: `/quiz-session/${quizSessionId}/results?limit=${limit}&offset=${offset}`,
    }),
  boardHistory: (quizSessionId: string) =>
    host.call<BoardMoment[]>({ method: "GET", path: `/quiz-session/${quizSessionId}/board-history` }),
  resultsFile: (quizSessionId: string, kind: FileKind) =>
    host.file({ method: "GET", path: `/quiz-session/${quizSessionId}/results.${kind}` }),
  finish: (quizSessionId: string) =>
    host.call<{ quiz_session_id: string; state: QuizSessionState }>({
      method: "POST",
      path: `/quiz-session/${quizSessionId}/finish`,
    }),
};
