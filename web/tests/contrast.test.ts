import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { contrastOf, faded, namesUnder, tokensOf } from "./tokens.ts";

// Everything that may be read, and what it may lie on.
const INK: Record<string, string[]> = {
  "--text": ["--ground", "--surface", "--raised", "--bar", "--bar-changed", "--right-ground", "--wrong-ground"],
  "--muted": ["--ground", "--surface", "--raised", "--bar", "--right-ground", "--wrong-ground"],
  "--accent-text": ["--ground", "--surface", "--raised", "--bar", "--bar-changed"],
  "--right": ["--ground", "--surface", "--raised", "--right-ground"],
  "--wrong": ["--ground", "--surface", "--raised", "--wrong-ground"],
  "--on-right": ["--right"],
  "--on-wrong": ["--wrong"],
  "--on-accent": ["--accent", "--accent-strong"],
  "--on-action": ["--action", "--action-hover"],
  "--on-shape": [1, 2, 3, 4, 5, 6, 7, 8].map((index) => `--shape-${index}`),
};
// What shows where a control is, what state it is in, or where the focus is.
const LINES = ["--line-strong", "--accent-text", "--focus", "--right", "--wrong"];
const GROUNDS = ["--ground", "--surface", "--raised"];

test("the formula is WCAG's", () => {
  expect(contrastOf("#000000", "#ffffff")).toBe(21);
  expect(contrastOf("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
});

describe.each([
  ["night", "standard", 4.5, 3],
  ["day", "standard", 4.5, 3],
  ["night", "more", 7, 4.5],
  ["day", "more", 7, 4.5],
] as const)("%s, %s contrast", (tone, contrast, ofText, ofLines) => {
  const tokens = tokensOf(tone, contrast);
  const colour = (name: string) => tokens[name] ?? `no ${name}`;
  const pairs = Object.entries(INK).flatMap(([ink, grounds]) => grounds.map((ground) => [ink, ground]));

  test.each(pairs)(`%s on %s is at least ${ofText}:1`, (ink, ground) => {
    expect(contrastOf(colour(ink ?? ""), colour(ground ?? ""))).toBeGreaterThanOrEqual(ofText);
  });

  test.each(LINES)(`%s is seen on every ground: ${ofLines}:1`, (line) => {
    for (const ground of GROUNDS) {
      expect(contrastOf(colour(line), colour(ground)), ground).toBeGreaterThanOrEqual(ofLines);
    }
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8])(`shape %i is seen by itself or by its edge: ${ofLines}:1`, (index) => {
    const edge = colour("--shape-edge");
    const seen = edge === "transparent" ? colour(`--shape-${index}`) : edge;
    for (const ground of GROUNDS) {
      expect(contrastOf(seen, colour(ground)), ground).toBeGreaterThanOrEqual(ofLines);
    }
  });

  test(`what is faded can still be read: ${ofText}:1`, () => {
    for (const ground of GROUNDS) {
      const text = faded(colour("--text"), colour(ground), Number(colour("--faded")));
      expect(contrastOf(text, colour(ground)), ground).toBeGreaterThanOrEqual(ofText);
    }
  });
});

test("both tones, and both of high contrast, set the same tokens", () => {
  const names = namesUnder('[data-tone="night"]').sort();
  expect(names.length).toBeGreaterThan(20);
  for (const selector of [
    '[data-tone="day"]',
    ':root[data-contrast="more"] [data-tone="night"]',
    ':root[data-contrast="more"] [data-tone="day"]',
  ]) {
    expect(namesUnder(selector).sort(), selector).toEqual(names);
  }
});

const components = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((file) => /\.(svelte|css)$/.test(file) && !file.endsWith("tokens.css"))
  .map((file) => `src/${file}`);

const stylesOf = (file: string) => {
  const source = readFileSync(file, "utf8");
  return file.endsWith(".css") ? source : (/<style[^>]*>(.*)<\/style>/s.exec(source)?.[1] ?? "");
};

test("nothing is drawn in the accent itself, which is no ink on a light ground", () => {
  const drawn =
    /(?<![\w-])(?:color|stroke|border(?:-[\w-]+)?|outline(?:-color)?|caret-color):[^;]*var\(--accent(?:-strong)?\)/;
  expect(components.filter((file) => drawn.test(stylesOf(file)))).toEqual([]);
});

test("only the settings ask the browser what its reader wants", () => {
  const asking = readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(svelte|ts|css)$/.test(file) && file !== "settings/device.ts")
    .filter((file) => /prefers-(reduced-motion|contrast|color-scheme)/.test(readFileSync(`src/${file}`, "utf8")));
  expect(asking).toEqual([]);
});
