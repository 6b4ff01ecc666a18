import { describe, expect, test } from "vitest";
import { checkDraft } from "../src/lib/draft-check.ts";
import type { Quiz } from "../src/lib/messages.ts";
import {
  bodyOf,
  draftOf,
  mixed,
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

const picture = { image_id: "i", alt: "A tree" };
const others: Quiz = {
  ...quiz,
  title: "The others",
  questions: [
    { question_id: "5", type: "order", prompt: "Order?", choices: mixed(["ant", "fox", "whale"]), answer: ["ant", "fox", "whale"].map((each) => mixed(["ant", "fox", "whale"]).indexOf(each)), points: 200, time_limit_ms: null, explanation: "By size" },
    { question_id: "6", type: "numeric", prompt: "How many?", choices: null, answer: 36.6, tolerance: 0.4, points: 100, time_limit_ms: null, image: picture },
    { question_id: "7", type: "numeric", prompt: "How many?", choices: null, answer: 0, points: 100, time_limit_ms: null },
    { question_id: "8", type: "poll", prompt: "Which?", choices: ["a", "b"], answer: null, points: 100, time_limit_ms: 5000 },
    { question_id: "9", type: "word_cloud", prompt: "A word?", choices: null, answer: null, points: 100, time_limit_ms: null },
    { question_id: "10", type: "info", prompt: "A break", choices: null, answer: null, points: 100, time_limit_ms: null, image: picture },
  ],
};

const only = (question: Partial<QuestionDraft>) => ({
  ...newDraft("en"),
  title: "A quiz",
  questions: [{ ...newQuestion(), prompt: "Which?", ...question }],
});

const items = (...texts: string[]) => ({
  type: "order" as const,
  items: texts.map((each) => newText(each)),
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

  test("nor do the types with an order, a number or no key change on the way", () => {
    const [order, ...rest] = bodyOf(draftOf(others)).questions;
    expect(order).toMatchObject({ type: "order", points: 200, explanation: "By size" });
    const { choices = [], answer = [] } = order ?? {};
    expect([answer].flat().map((index) => choices[Number(index)])).toEqual(["ant", "fox", "whale"]);
    expect(rest).toEqual([
      { type: "numeric", prompt: "How many?", answer: 36.6, tolerance: 0.4, points: 100, image: picture },
      { type: "numeric", prompt: "How many?", answer: 0, points: 100 },
      { type: "poll", prompt: "Which?", choices: ["a", "b"], time_limit_ms: 5000 },
      { type: "word_cloud", prompt: "A word?" },
      { type: "info", prompt: "A break", image: picture },
    ]);
    expect(checkDraft(draftOf(others)).count).toBe(0);
  });

  test("items are mixed the same way whatever the right order is", () => {
    const texts = ["one", "two", "three", "four", "five"];
    expect(mixed(texts.toReversed())).toEqual(mixed(texts));
    expect(mixed(texts).toSorted()).toEqual(texts.toSorted());
    // By chance some are in order, most are not.
    const pairs = texts.flatMap((one, at) => texts.slice(at + 1).map((other) => [one, other]));
    expect(pairs.some((pair) => mixed(pair)[0] === pair[0])).toBe(true);
    expect(pairs.some((pair) => mixed(pair)[0] !== pair[0])).toBe(true);
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

  test("things to put in order: two at least, and none twice", () => {
    expect(faultsOf(items("a", " ")).items).toBe("invalid.items");
    expect(faultsOf(items("a", "a ")).items).toBe("invalid.items.double");
    expect(faultsOf(items("a", "x".repeat(201))).items).toBe("invalid.items");
    expect(faultsOf(items("a", "b", "")).count).toBe(0);
  });

  test.each(["", " ", "one", "1e16", "-1e16"])("a right number of %j", (number) => {
    expect(faultsOf({ type: "numeric", number }).number).toBe("invalid.number");
  });

  test.each(["-1", "some"])("a tolerance of %j", (tolerance) => {
    expect(faultsOf({ type: "numeric", number: "-3.5", tolerance }).tolerance).toBe("invalid.tolerance");
  });

  test("an image needs words, and an explanation has an end", () => {
    const image = { image_id: "i", alt: " " };
    expect(faultsOf({ type: "info", image }).alt).toBe("invalid.alt");
    expect(faultsOf({ type: "word_cloud", explanation: "x".repeat(501) }).explanation).toBe("invalid.explanation");
  });

  test("what its type does not send is not looked at", () => {
    const forgotten = { points: "many", choices: [], items: [], number: "?", accepted: [] };
    expect(faultsOf({ type: "word_cloud", ...forgotten }).count).toBe(0);
    expect(faultsOf({ type: "info", ...forgotten, timeLimitSeconds: "soon" }).count).toBe(0);
  });

  test("a poll needs choices, and none of them right", () => {
    expect(faultsOf({ type: "poll", choices: [newChoice("a"), newChoice("b")] }).count).toBe(0);
    expect(faultsOf({ type: "poll", choices: [newChoice("a")] }).choices).toBe("invalid.choices");
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
