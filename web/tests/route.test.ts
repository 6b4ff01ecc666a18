import { expect, test } from "vitest";
import { path, routeOf } from "../src/lib/route.ts";

test.each([
  ["/", { screen: "home" }],
  ["/join/123456", { screen: "join", pin: "123456" }],
  ["/join/123456/", { screen: "join", pin: "123456" }],
  ["/play/abc", { screen: "play", quizSessionId: "abc" }],
  ["/host", { screen: "host" }],
  ["/host/quizzes/new", { screen: "new_quiz" }],
  ["/host/quizzes/abc", { screen: "edit_quiz", quizId: "abc" }],
  ["/host/session/abc", { screen: "stage", quizSessionId: "abc" }],
  ["/join", { screen: "not_found" }],
  ["/host/anything", { screen: "not_found" }],
  ["/host/session/abc/results", { screen: "results", quizSessionId: "abc" }],
  ["/host/session/abc/results/more", { screen: "not_found" }],
  ["/host/session/abc/more", { screen: "not_found" }],
])("%s", (pathname, route) => {
  expect(routeOf(pathname)).toEqual(route);
});

test("a path leads to the screen it was made for", () => {
  expect(routeOf(path.join("000001"))).toEqual({ screen: "join", pin: "000001" });
  expect(routeOf(path.newQuiz())).toEqual({ screen: "new_quiz" });
  expect(routeOf(path.stage("s"))).toEqual({ screen: "stage", quizSessionId: "s" });
  expect(routeOf(path.results("s"))).toEqual({ screen: "results", quizSessionId: "s" });
});
