import { describe, expect, test } from "vitest";
import { formatsOf } from "../src/strings/formats.ts";
import { languageFor, localeFor } from "../src/strings/languages.ts";

describe("languageFor", () => {
  test("the first of the browser's that there is a catalogue for", () => {
    expect(languageFor(["fr-CH", "de-CH", "en"])).toBe("de");
    expect(languageFor(["EN-gb", "de"])).toBe("en");
  });

  test("English where there is none of them, and where the browser says nothing", () => {
    expect(languageFor(["fr", "eo"])).toBe("en");
    expect(languageFor([])).toBe("en");
  });

  test("a tag that only begins like a language is another one", () => {
    expect(languageFor(["den"])).toBe("en");
  });
});

describe("localeFor", () => {
  test("the browser's own kind of the language, and else the language itself", () => {
    expect(localeFor("de", ["en-US", "de-AT"])).toBe("de-AT");
    expect(localeFor("de", ["en-US"])).toBe("de");
    expect(localeFor("en", ["en-US-posix-", "de"])).toBe("en");
  });
});

test("numbers, dates and the names of languages are those of the locale", () => {
  const { numbers, dates, languages } = formatsOf("de");
  expect(numbers.format(12_345.5)).toBe("12.345,5");
  expect(dates.format(Date.UTC(2026, 10, 28, 12))).toBe("28.11.2026");
  expect(languages.of("nl")).toBe("Niederländisch");
});
