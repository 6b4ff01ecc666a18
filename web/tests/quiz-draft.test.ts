import { describe, expect, test } from "vitest";
import { checkDraft } from "../src/lib/draft-check.ts";
import type { Quiz } from "../src/lib/messages.ts";
import {
  bodyOf,
  draftOf,
  newChoice,
  newDraft,
  newQuestion,
  newText,
  type QuestionDraft,
} from "../src/lib/quiz-draft.ts";

const quiz: Quiz = {
  quiz_id: "q",
  title: "All four",
  language: "en",
  created_at: 0,
  updated_at: 0,
  questions: [
    { question_id: "1", type: "choice", prompt: "One?", choices: ["a", "b"], answer: 1, points: 100, time_limit_ms: null },
    { question_id: "2", type: "multi_choice", prompt: "Some?", choices: ["a", "b", "c"], answer: [0, 2], points: 0, time_limit_ms: 1500 },
    { question_id: "3", type: "true_false", prompt: "So?", choices: null, answer: false, points: 100, time_limit_ms: null },
    { question_id: "4", type: "typed", prompt: "What?", choices: null, answer: ["x", "y"], points: 100, time_limit_ms: null },
  ],
};

const only = (question: Partial<QuestionDraft>) => ({
  ...newDraft("en"),
  title: "A quiz",
  questions: [{ ...newQuestion(), prompt: "Which?", ...question }],
});

function faultsOf(question: Partial<QuestionDraft>) {
  const draft = only(question);
  const faults = checkDraft(draft);
  return { ...faults.question.get(draft.questions[0]?.key ?? -1), count: faults.count };
}

describe("what is sent", () => {
  test("a quiz read and saved unchanged is the same quiz", () => {
    expect(bodyOf(draftOf(quiz))).toEqual({
      title: "All four",
      language: "en",
      questions: [
        { type: "choice", prompt: "One?", choices: ["a", "b"], answer: 1, points: 100 },
        { type: "multi_choice", prompt: "Some?", choices: ["a", "b", "c"], answer: [0, 2], points: 0, time_limit_ms: 1500 },
        { type: "true_false", prompt: "So?", answer: false, points: 100 },
        { type: "typed", prompt: "What?", answer: ["x", "y"], points: 100 },
      ],
    });
  });

  test("spare fields at the end and blanks around texts stay behind", () => {
    const draft = only({
      prompt: "  Which? ",
      choices: [newChoice(" a "), newChoice("b", true), newChoice(), newChoice("  ")],
    });
    expect(bodyOf(draft).questions[0]).toMatchObject({
      prompt: "Which?",
      choices: ["a", "b"],
      answer: 1,
    });
  });

  test("a question that changed its type and back has lost nothing", () => {
    const draft = draftOf(quiz);
    const [question] = draft.questions;
    if (question) question.type = "typed";
    if (question) question.type = "choice";
    expect(bodyOf(draft)).toEqual(bodyOf(draftOf(quiz)));
  });
});

describe("what is refused here already", () => {
  test("a valid quiz has no fault", () => {
    expect(checkDraft(draftOf(quiz)).count).toBe(0);
  });

  test("an empty new quiz", () => {
    const draft = newDraft("en");
    const faults = checkDraft(draft);
    expect(faults.title).toBe("invalid.title");
    expect([...faults.question.values()]).toEqual([
      { choice: new Map(), prompt: "invalid.prompt", choices: "invalid.choices" },
    ]);
    expect(faults.count).toBe(3);
  });

  test("no questions", () => {
    expect(checkDraft({ ...newDraft("en"), title: "A", questions: [] }).questions).toBe(
      "invalid.questions",
    );
  });

  test("choices without a right one", () => {
    const choices = [newChoice("a"), newChoice("b")];
    expect(faultsOf({ choices }).choices).toBe("invalid.right.one");
    expect(faultsOf({ choices, type: "multi_choice" }).choices).toBe("invalid.right.several");
  });

  test("a choice forgotten between two others, and one that is there twice", () => {
    const gap = newChoice();
    expect(
      faultsOf({ choices: [newChoice("a", true), gap, newChoice("b")] }).choice?.get(gap.key),
    ).toBe("invalid.choice");
    const double = newChoice("a ");
    expect(faultsOf({ choices: [newChoice("a", true), double] }).choice?.get(double.key)).toBe(
      "invalid.choice.double",
    );
  });

  test("a typed question that accepts nothing", () => {
    expect(faultsOf({ type: "typed", accepted: [newText(" ")] }).accepted).toBe("invalid.accepted");
  });

  test.each(["", "-1", "1.5", "10001", "many"])("points %j", (points) => {
    expect(faultsOf({ type: "true_false", points }).points).toBe("invalid.points");
  });

  test.each(["0", "0.5", "3601", "soon"])("a time limit of %j seconds", (timeLimitSeconds) => {
    expect(faultsOf({ type: "true_false", timeLimitSeconds }).timeLimitSeconds).toBe(
      "invalid.time_limit",
    );
  });

  test("lengths count by code points: forty emoji are forty characters", () => {
    expect(checkDraft({ ...draftOf(quiz), title: "🦊".repeat(120) }).title).toBeUndefined();
    expect(checkDraft({ ...draftOf(quiz), title: "🦊".repeat(121) }).title).toBe("invalid.title");
  });
});
