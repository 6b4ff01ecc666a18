/** As many as the server takes: up to here a number is the same in every program on its way. */
export const MAX_NUMBER = 1e15;

const BLANKS = /[\s  ’']/g;
const MINUS = /^[−–]/;
const PLAIN = /^[+-]?(\d+\.?\d*|\.\d+)$/;

/**
 * The number a person typed, in the ways people write them; null if it is none, or too large.
 *
 * `decimal` is the mark of the language at hand. The other mark counts as one too, unless it stands
 * where only thousands are parted: 1,500 is more than a thousand to who writes 1.5, and 1,5 is not.
 */
export function parseNumber(text: string, decimal: "." | ","): number | null {
  const compact = text.replace(BLANKS, "").replace(MINUS, "-");
  const plain = pointed(compact, decimal);
  if (!PLAIN.test(plain)) return null;
  const number = Number(plain);
  return Math.abs(number) <= MAX_NUMBER ? number : null;
}

function pointed(text: string, decimal: "." | ","): string {
  const other = decimal === "." ? "," : ".";
  if (text.includes(".") && text.includes(",")) {
    const last = text.lastIndexOf(".") > text.lastIndexOf(",") ? "." : ",";
    const parting = last === "." ? "," : ".";
    return text.replaceAll(parting, "").replace(last, ".");
  }
  const mark = text.includes(other) ? other : decimal;
  const parts = text.split(mark);
  const isParted = /^[+-]?[1-9]\d{0,2}$/.test(parts[0] ?? "") && parts.slice(1).every((each) => /^\d{3}$/.test(each));
  if (isParted && (parts.length > 2 || (parts.length === 2 && mark === other))) return parts.join("");
  return text.replace(mark, ".");
}

/** The text with its sign turned: number pads of phones have no minus. */
export const signTurned = (text: string): string =>
  /^\s*[-−–]/.test(text) ? text.replace(/^\s*[-−–]\s*/, "") : `-${text.trimStart()}`;
