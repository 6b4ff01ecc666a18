import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  type Catalogue,
  catalogues,
  type Mismatched,
  type Translation,
} from "../src/strings/catalogue.ts";
import { de } from "../src/strings/de.ts";
import { en } from "../src/strings/en.ts";
import { LANGUAGES } from "../src/strings/languages.ts";
import { ALIKE } from "../src/strings/problem-text.ts";

const { brand: _, ...withoutBrand } = de;
type WithoutThePin = Omit<typeof de, "desk.pin"> & { readonly "desk.pin": "PIN" };
type WithAStray = Omit<typeof de, "brand"> & { readonly brand: "{name}" };

// What `tsc` refuses: `npm run check` fails when one of these is an error no longer.
// @ts-expect-error a message is missing
withoutBrand satisfies Translation;
// @ts-expect-error a message that the original does not have
({ ...de, "no.such.message": "?" }) satisfies Translation;
// @ts-expect-error one text where the original has forms
({ ...de, "join.players": "?" }) satisfies Translation;
// @ts-expect-error nothing else can be said of translations that leave out or make up placeholders
"brand" satisfies Mismatched<WithoutThePin>;
"desk.pin" satisfies Mismatched<WithoutThePin>;
"brand" satisfies Mismatched<WithAStray>;

const general = (message: Catalogue[string]) =>
  typeof message === "string" ? message : (message?.other ?? "");
const isCareless = (text = "") => /["']|\.\.\.|^\s|\s$|\s\s/.test(text);
const isSentence = (text: unknown) => typeof text === "string" && /\p{Ll}{4,} \p{L}+/u.test(text);
const hasText = (code: string) => `problem.${code}` in en || code in ALIKE;
const placeholders = (text: string) => new Set(text.match(/\{\w+\}/g));
const originals: Catalogue = en;

describe.each(LANGUAGES)("in %s", (language) => {
  const messages: Catalogue = catalogues[language];

  test("every message is there, with the placeholders of the original, and no other", () => {
    expect(Object.keys(messages).sort()).toEqual(Object.keys(en).sort());
    for (const [key, message] of Object.entries(messages)) {
      const original = originals[key] ?? "";
      expect(placeholders(general(message)), key).toEqual(placeholders(general(original)));
    }
  });

  test("there is a form for every count the language tells apart", () => {
    const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories.sort();
    for (const [key, message] of Object.entries(messages)) {
      if (typeof message !== "string") expect(Object.keys(message).sort(), key).toEqual(forms);
    }
  });

  test("texts are typeset: no straight quotes, no three dots, no blanks at the ends or doubled", () => {
    const texts = Object.entries(messages).flatMap(([key, message]) =>
      typeof message === "string" ? [[key, message]] : Object.values(message).map((form) => [key, form]),
    );
    expect(texts.filter(([, text]) => isCareless(text))).toEqual([]);
    expect(texts.filter(([, text]) => text === "")).toEqual([]);
  });
});

test("a translation is not the original left standing", () => {
  // Names, signs, and words that are the same in both.
  const same = Object.entries(en).filter(([key, text]) => de[key as keyof typeof de] === text);
  expect(same.filter(([, text]) => isSentence(text))).toEqual([]);
});

test("every refusal of the server has a text", () => {
  const source = readFileSync("../src/tiebreak/errors.py", "utf8");
  const refusals = source.slice(source.indexOf("class Refusal(Enum)"), source.indexOf("CODES = "));
  const names = [...refusals.matchAll(/^ {4}([A-Z_]+) = \(\d{3}, /gm)].map(([, name]) => String(name));
  expect(names.length).toBeGreaterThan(30);
  // Some go by the code of another on the wire.
  const [, aliases = ""] = source.split("CODES = ");
  const codes = names.filter((name) => !aliases.includes(`"${name}"`)).map((name) => name.toLowerCase());
  expect(codes.filter((code) => !hasText(code))).toEqual([]);
});
