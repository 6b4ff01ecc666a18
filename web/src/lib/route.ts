export type Route =
  | { screen: "home" }
  | { screen: "join"; pin: string }
  | { screen: "play"; quizSessionId: string }
  | { screen: "host" }
  | { screen: "new_quiz" }
  | { screen: "edit_quiz"; quizId: string }
  | { screen: "stage"; quizSessionId: string }
  | { screen: "results"; quizSessionId: string }
  | { screen: "not_found" };

/** The server answers the client for these paths and no others; keep the two lists alike. */
export function routeOf(pathname: string): Route {
  const parts = pathname.split("/").filter((part) => part !== "");
  const [first, second, third, fourth] = parts;
  if (parts.length === 0) return { screen: "home" };
  if (parts.length === 1 && first === "host") return { screen: "host" };
  if (parts.length === 2 && second) {
    if (first === "join") return { screen: "join", pin: second };
    if (first === "play") return { screen: "play", quizSessionId: second };
  }
  if (parts.length === 4 && first === "host" && second === "session" && fourth === "results") {
    if (third) return { screen: "results", quizSessionId: third };
  }
  if (parts.length === 3 && first === "host" && third) {
    if (second === "quizzes" && third === "new") return { screen: "new_quiz" };
    if (second === "quizzes") return { screen: "edit_quiz", quizId: third };
    if (second === "session") return { screen: "stage", quizSessionId: third };
  }
  return { screen: "not_found" };
}

export const path = {
  home: () => "/",
  join: (pin: string) => `/join/${encodeURIComponent(pin)}`,
  play: (quizSessionId: string) => `/play/${quizSessionId}`,
  image: (imageId: string) => `/images/${imageId}`,
  host: () => "/host",
  newQuiz: () => "/host/quizzes/new",
  editQuiz: (quizId: string) => `/host/quizzes/${quizId}`,
  stage: (quizSessionId: string) => `/host/session/${quizSessionId}`,
  results: (quizSessionId: string) => `/host/session/${quizSessionId}/results`,
};
