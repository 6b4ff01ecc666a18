import type {
  QuestionBody,
  QuestionType,
  Quiz,
  QuizBody,
  RightAnswer,
  StoredQuestion,
} from "./messages.ts";

/**
 * A quiz while it is being written. Each type's entries are kept side by side, so that changing a
 * question's type and back loses nothing; only those of its type are sent.
 */
export interface QuizDraft {
  title: string;
  language: string;
  questions: QuestionDraft[];
}

export interface QuestionDraft {
  /** Of this page only: tells questions apart while they move. */
  key: number;
  type: QuestionType;
  prompt: string;
  choices: ChoiceDraft[];
  isTrue: boolean;
  accepted: TextDraft[];
  /** As typed; what is not a number is the check's business. */
  points: string;
  timeLimitSeconds: string;
}

export interface TextDraft {
  key: number;
  text: string;
}
export interface ChoiceDraft extends TextDraft {
  isRight: boolean;
}

export const limits = {
  title: 120,
  prompt: 500,
  text: 200,
  questions: 100,
  choicesFrom: 2,
  choicesTo: 8,
  accepted: 20,
  points: 10_000,
  timeLimitSeconds: 3600,
} as const;

let keys = 0;
export const newText = (text = ""): TextDraft => ({ key: keys++, text });
export const newChoice = (text = "", isRight = false): ChoiceDraft => ({ ...newText(text), isRight });

export const newQuestion = (type: QuestionType = "choice"): QuestionDraft => ({
  key: keys++,
  type,
  prompt: "",
  choices: [newChoice(), newChoice(), newChoice(), newChoice()],
  isTrue: true,
  accepted: [newText()],
  points: "100",
  timeLimitSeconds: "",
});

export const newDraft = (language: string): QuizDraft => ({
  title: "",
  language,
  questions: [newQuestion()],
});

export const draftOf = ({ title, language, questions }: Quiz): QuizDraft => ({
  title,
  language,
  questions: questions.map(questionDraftOf),
});

function questionDraftOf(stored: StoredQuestion): QuestionDraft {
  const { type, prompt, choices, answer, points, time_limit_ms } = stored;
  const draft = { ...newQuestion(type), prompt, points: String(points) };
  if (time_limit_ms !== null) draft.timeLimitSeconds = String(time_limit_ms / 1000);
  if (choices !== null) {
    const isRight = (index: number) =>
      Array.isArray(answer) ? answer.some((each) => each === index) : answer === index;
    draft.choices = choices.map((text, index) => newChoice(text, isRight(index)));
  }
  if (typeof answer === "boolean") draft.isTrue = answer;
  if (type === "typed" && Array.isArray(answer)) {
    draft.accepted = answer.map((text) => newText(String(text)));
  }
  return draft;
}

/** What is sent: blanks around texts and empty spare fields are left behind. */
export const bodyOf = ({ title, language, questions }: QuizDraft): QuizBody => ({
  title: title.trim(),
  language,
  questions: questions.map(questionBodyOf),
});

function questionBodyOf(draft: QuestionDraft): QuestionBody {
  const { type, prompt, points, timeLimitSeconds } = draft;
  const choices = usedChoices(draft);
  const hasChoices = type === "choice" || type === "multi_choice";
  return {
    type,
    prompt: prompt.trim(),
    ...(hasChoices ? { choices: choices.map(({ text }) => text.trim()) } : {}),
    answer: rightAnswerOf(draft),
    points: Number(points),
    ...(timeLimitSeconds.trim() === ""
      ? {}
      : { time_limit_ms: Math.round(Number(timeLimitSeconds) * 1000) }),
  };
}

function rightAnswerOf(draft: QuestionDraft): RightAnswer {
  const right = usedChoices(draft).flatMap(({ isRight }, index) => (isRight ? [index] : []));
  switch (draft.type) {
    case "choice":
      return right[0] ?? -1;
    case "multi_choice":
      return right;
    case "true_false":
      return draft.isTrue;
    case "typed":
      return draft.accepted.map(({ text }) => text.trim()).filter((text) => text !== "");
  }
}

/** Empty choices at the end are spare room, not choices; one in between was forgotten. */
export function usedChoices({ choices }: QuestionDraft): ChoiceDraft[] {
  const last = choices.findLastIndex(({ text, isRight }) => text.trim() !== "" || isRight);
  return choices.slice(0, last + 1);
}
