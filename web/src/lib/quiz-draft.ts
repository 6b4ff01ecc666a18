import { isGraded } from "./graded.ts";
import type {
  Picture,
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
  /** In the right order: players see them mixed. */
  items: TextDraft[];
  /** As typed, with a point for the fraction. */
  number: string;
  tolerance: string;
  image: Picture | null;
  explanation: string;
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
  number: 1e15,
  alt: 250,
  explanation: 500,
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
  items: [newText(), newText(), newText()],
  number: "",
  tolerance: "",
  image: null,
  explanation: "",
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
  draft.image = stored.image ?? null;
  draft.explanation = stored.explanation ?? "";
  if (type === "numeric") {
    draft.number = String(answer);
    draft.tolerance = stored.tolerance ? String(stored.tolerance) : "";
  }
  if (type === "order" && choices !== null && Array.isArray(answer)) {
    draft.items = answer.map((index) => newText(choices[Number(index)]));
  } else if (choices !== null) {
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
  const { type, prompt, points, timeLimitSeconds, tolerance, image } = draft;
  const choices = choicesOf(draft);
  const answer = rightAnswerOf(draft);
  const explanation = draft.explanation.trim();
  const isTimed = type !== "info" && timeLimitSeconds.trim() !== "";
  return {
    type,
    prompt: prompt.trim(),
    ...(choices === null ? {} : { choices }),
    ...(answer === null ? {} : { answer }),
    ...(type === "numeric" && Number(tolerance) !== 0 ? { tolerance: Number(tolerance) } : {}),
    ...(isGraded(draft) ? { points: Number(points) } : {}),
    ...(isTimed ? { time_limit_ms: Math.round(Number(timeLimitSeconds) * 1000) } : {}),
    ...(image === null ? {} : { image: { ...image, alt: image.alt.trim() } }),
    ...(type === "info" || explanation === "" ? {} : { explanation }),
  };
}

function choicesOf(draft: QuestionDraft): string[] | null {
  switch (draft.type) {
    case "choice":
    case "multi_choice":
    case "poll":
      return usedChoices(draft).map(({ text }) => text.trim());
    case "order":
      return mixed(usedItems(draft));
    default:
      return null;
  }
}

function rightAnswerOf(draft: QuestionDraft): RightAnswer | null {
  const right = usedChoices(draft).flatMap(({ isRight }, index) => (isRight ? [index] : []));
  switch (draft.type) {
    case "poll":
    case "word_cloud":
    case "info":
      return null;
    case "order": {
      const shown = mixed(usedItems(draft));
      return usedItems(draft).map((text) => shown.indexOf(text));
    }
    case "numeric":
      return Number(draft.number);
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

export const usedItems = ({ items }: QuestionDraft): string[] =>
  items.map(({ text }) => text.trim()).filter((text) => text !== "");

/**
 * The items as players see them. By a hash of their texts: the same each time, so that nothing seems
 * to have changed, and nothing to do with the right order, which may by chance be the same.
 */
export const mixed = (items: string[]): string[] =>
  items.toSorted((one, other) => hash(one) - hash(other) || (one < other ? -1 : 1));

/** FNV-1a over UTF-16 units: of one item's text, so that no item's place depends on another's. */
function hash(text: string): number {
  let hashed = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hashed = Math.imul(hashed ^ text.charCodeAt(at), 0x01000193);
  return hashed >>> 0;
}

/** Empty choices at the end are spare room, not choices; one in between was forgotten. */
export function usedChoices({ choices }: QuestionDraft): ChoiceDraft[] {
  const last = choices.findLastIndex(({ text, isRight }) => text.trim() !== "" || isRight);
  return choices.slice(0, last + 1);
}
