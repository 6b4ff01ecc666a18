import type { BoardMoment, QuestionResults } from "../../lib/messages.ts";

/** A part of all scores: how many players have from `from` to `to` points. */
export interface Bin {
  from: number;
  to: number;
  count: number;
}

const MOST_BINS = 10;
const STEPS = [1, 2, 5];

/** At most ten bins of one round width that hold every score, from 0. */
export function binsOf(scores: number[]): Bin[] {
  if (scores.length === 0) return [];
  const highest = Math.max(...scores);
  const width = roundUp((highest + 1) / MOST_BINS);
  const bins: Bin[] = Array.from({ length: Math.floor(highest / width) + 1 }, (_, at) => ({
    from: at * width,
    to: (at + 1) * width - 1,
    count: 0,
  }));
  for (const score of scores) {
    const bin = bins[Math.floor(score / width)];
    if (bin) bin.count += 1;
  }
  return bins;
}

/** The next whole number of the kind 1, 2, 5, 10, 20, 50, … */
export function roundUp(value: number): number {
  const magnitude = 10 ** Math.max(0, Math.floor(Math.log10(value)));
  const step = [...STEPS, 10].find((each) => each * magnitude >= value) ?? 10;
  return step * magnitude;
}

/** Of all answers to questions that can be right; null if there are none. */
export function shareRight(questions: QuestionResults[]): number | null {
  const graded = questions.filter(({ right }) => right !== null);
  const answered = graded.reduce((sum, question) => sum + question.answered, 0);
  return answered === 0 ? null : graded.reduce((sum, { right }) => sum + (right ?? 0), 0) / answered;
}

/** Hardest first, and after them those that have no share of right answers. */
export function byHardness(questions: QuestionResults[], hardest: string[]): QuestionResults[] {
  const place = new Map(hardest.map((id, at) => [id, at]));
  const placeOf = ({ question_id }: QuestionResults) => place.get(question_id) ?? hardest.length;
  return questions.toSorted((one, other) => placeOf(one) - placeOf(other));
}

/** Where each of the leaders stood at each moment: 0 is the top; null before the first answer. */
export interface Course {
  id: string;
  name: string;
  places: (number | null)[];
  /** The last one is what the line ends with. */
  rank: number;
}

export function coursesOf(history: BoardMoment[]): Course[] {
  const idsAt = history.map(({ rows }) => rows.map((row) => row.quiz_session_participant_id));
  return (history.at(-1)?.rows ?? []).map(({ quiz_session_participant_id: id, name, rank }) => {
    const places = idsAt.map((ids) => (ids.includes(id) ? ids.indexOf(id) : null));
    return { id, name, places, rank };
  });
}

export interface Cell {
  row: number;
  column: number;
}

/** The cell that a key leads to from another one; null if it is no key of a grid. */
export function moved(from: Cell, key: string, rows: number, columns: number): Cell | null {
  const row = (to: number) => ({ ...from, row: Math.max(0, Math.min(rows - 1, to)) });
  const column = (to: number) => ({ ...from, column: Math.max(0, Math.min(columns - 1, to)) });
  switch (key) {
    case "ArrowUp":
      return row(from.row - 1);
    case "ArrowDown":
      return row(from.row + 1);
    case "ArrowLeft":
      return column(from.column - 1);
    case "ArrowRight":
      return column(from.column + 1);
    case "PageUp":
      return row(from.row - 10);
    case "PageDown":
      return row(from.row + 10);
    case "Home":
      return column(0);
    case "End":
      return column(columns - 1);
    default:
      return null;
  }
}

const two = (value: number) => String(value).padStart(2, "0");

/** Milliseconds as minutes and seconds, for a clock: 1:05. */
export function clockText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** To a tenth, which is as much as anyone reads. */
export const tenths = (ms: number) => Math.round(ms / 100) / 10;
export const percent = (share: number) => Math.round(share * 100);

