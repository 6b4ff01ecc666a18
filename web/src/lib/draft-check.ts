import { isGraded } from "./graded.ts";
import { limits, type QuestionDraft, type QuizDraft, usedChoices, usedItems } from "./quiz-draft.ts";

/** The keys of the catalogue that say what is wrong, by field; an absent field is in order. */
export interface QuestionFaults {
  prompt?: "invalid.prompt";
  /** By the key of the choice. */
  choice: Map<number, "invalid.choice" | "invalid.choice.double">;
  choices?: "invalid.choices" | "invalid.right.one" | "invalid.right.several";
  accepted?: "invalid.accepted";
  items?: "invalid.items" | "invalid.items.double";
  number?: "invalid.number";
  tolerance?: "invalid.tolerance";
  alt?: "invalid.alt";
  explanation?: "invalid.explanation";
  points?: "invalid.points";
  timeLimitSeconds?: "invalid.time_limit";
}

export interface QuizFaults {
  title?: "invalid.title";
  questions?: "invalid.questions";
  /** By the key of the question. */
  question: Map<number, QuestionFaults>;
  count: number;
}

export function checkDraft({ title, questions }: QuizDraft): QuizFaults {
  const question = new Map(questions.map((draft) => [draft.key, checkQuestion(draft)]));
  const faults: QuizFaults = { question, count: 0 };
  if (!isText(title, limits.title)) faults.title = "invalid.title";
  if (questions.length < 1 || questions.length > limits.questions) {
    faults.questions = "invalid.questions";
  }
  faults.count = Number("title" in faults) + Number("questions" in faults);
  for (const each of question.values()) {
    faults.count += Object.keys(each).length - 1 + each.choice.size;
  }
  return faults;
}

function checkQuestion(draft: QuestionDraft): QuestionFaults {
  const faults: QuestionFaults = { choice: new Map() };
  if (!isText(draft.prompt, limits.prompt)) faults.prompt = "invalid.prompt";
  if (draft.type === "choice" || draft.type === "multi_choice" || draft.type === "poll") {
    checkChoices(draft, faults);
  }
  if (draft.type === "typed") {
    const given = draft.accepted.filter(({ text }) => text.trim() !== "");
    const areTexts = given.every(({ text }) => isText(text, limits.text));
    if (given.length === 0 || !areTexts) faults.accepted = "invalid.accepted";
  }
  if (draft.type === "order") checkItems(draft, faults);
  if (draft.type === "numeric") {
    if (!isNumber(draft.number, -limits.number)) faults.number = "invalid.number";
    if (draft.tolerance.trim() !== "" && !isNumber(draft.tolerance, 0)) {
      faults.tolerance = "invalid.tolerance";
    }
  }
  if (draft.image !== null && !isText(draft.image.alt, limits.alt)) faults.alt = "invalid.alt";
  if (draft.type !== "info" && [...draft.explanation.trim()].length > limits.explanation) {
    faults.explanation = "invalid.explanation";
  }
  if (isGraded(draft) && !isWhole(draft.points, 0, limits.points)) {
    faults.points = "invalid.points";
  }
  const seconds = draft.timeLimitSeconds.trim();
  if (draft.type !== "info" && seconds !== "" && !isWithin(Number(seconds), 1, limits.timeLimitSeconds)) {
    faults.timeLimitSeconds = "invalid.time_limit";
  }
  return faults;
}

function checkChoices(draft: QuestionDraft, faults: QuestionFaults): void {
  const used = usedChoices(draft);
  const seen = new Set<string>();
  for (const { key, text } of used) {
    if (!isText(text, limits.text)) faults.choice.set(key, "invalid.choice");
    else if (seen.has(text.trim())) faults.choice.set(key, "invalid.choice.double");
    seen.add(text.trim());
  }
  if (used.length < limits.choicesFrom || used.length > limits.choicesTo) {
    faults.choices = "invalid.choices";
  } else if (draft.type !== "poll" && !used.some(({ isRight }) => isRight)) {
    faults.choices = draft.type === "choice" ? "invalid.right.one" : "invalid.right.several";
  }
}

function checkItems(draft: QuestionDraft, faults: QuestionFaults): void {
  const used = usedItems(draft);
  const areTexts = used.every((text) => isText(text, limits.text));
  if (used.length < limits.choicesFrom || used.length > limits.choicesTo || !areTexts) {
    faults.items = "invalid.items";
  } else if (new Set(used).size < used.length) {
    faults.items = "invalid.items.double";
  }
}

/** Counted as the server counts: by code points, so an emoji is one and not two. */
const isText = (text: string, most: number) =>
  text.trim() !== "" && [...text.trim()].length <= most;
const isWithin = (value: number, from: number, to: number) => value >= from && value <= to;
const isNumber = (text: string, from: number) =>
  text.trim() !== "" && isWithin(Number(text), from, limits.number);
const isWhole = (text: string, from: number, to: number) =>
  /^\s*\d+\s*$/.test(text) && isWithin(Number(text), from, to);
