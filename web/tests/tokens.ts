import { readFileSync } from "node:fs";

export type Tone = "night" | "day";
type Tokens = Record<string, string>;

const css = readFileSync("src/styles/tokens.css", "utf8").replace(/\/\*.*?\*\//gs, "");
const blocks = [...css.matchAll(/([^{}]+)\{([^{}]*)\}/g)].map(([, selectors = "", body = ""]) => ({
  selectors: selectors.split(",").map((each) => each.trim()),
  tokens: tokensIn(body),
}));

/** The tokens that hold on a part of the page in this tone, each with a colour or a value in it. */
export function tokensOf(tone: Tone, contrast: "standard" | "more"): Tokens {
  const holding = [":root", `[data-tone="${tone}"]`];
  if (contrast === "more") holding.push(`:root[data-contrast="more"] [data-tone="${tone}"]`);
  const cascaded: Tokens = {};
  // In the order of their weight; blocks of one weight, in the file's.
  for (const selector of holding) {
    for (const block of blocks.filter(({ selectors }) => selectors.includes(selector))) {
      Object.assign(cascaded, block.tokens);
    }
  }
  return Object.fromEntries(Object.keys(cascaded).map((name) => [name, resolved(name, cascaded)]));
}

/** The tokens that a theme or a contrast sets by itself, under each of its selectors. */
export const namesUnder = (selector: string): string[] =>
  blocks.filter(({ selectors }) => selectors.includes(selector)).flatMap(({ tokens }) => Object.keys(tokens));

function tokensIn(body: string): Tokens {
  return Object.fromEntries(
    [...body.matchAll(/(--[\w-]+):\s*([^;]+);/g)].map(([, name = "", value = ""]) => [name, value.trim()]),
  );
}

function resolved(name: string, tokens: Tokens): string {
  const value = tokens[name];
  if (value === undefined) throw new Error(`${name} is used and not set`);
  const reference = /^var\((--[\w-]+)\)$/.exec(value)?.[1];
  return reference === undefined ? value : resolved(reference, tokens);
}

/** WCAG 2.2's contrast ratio of two colours `#rrggbb`, 1 to 21. */
export function contrastOf(one: string, other: string): number {
  const [lighter = 0, darker = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (lighter + 0.05) / (darker + 0.05);
}

/** `colour` at this opacity over `ground`. */
export const faded = (colour: string, ground: string, opacity: number): string =>
  `#${[0, 1, 2]
    .map((at) => channel(colour, at) * opacity + channel(ground, at) * (1 - opacity))
    .map((value) => Math.round(value).toString(16).padStart(2, "0"))
    .join("")}`;

function luminance(colour: string): number {
  const linear = [0, 1, 2].map((at) => {
    const value = channel(colour, at) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (linear[0] ?? 0) + 0.7152 * (linear[1] ?? 0) + 0.0722 * (linear[2] ?? 0);
}

function channel(colour: string, at: number): number {
  const digits = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/.exec(colour)?.[at + 1];
  if (digits === undefined) throw new Error(`not a colour of the kind #rrggbb: ${colour}`);
  return Number.parseInt(digits, 16);
}
