import { expect, test } from "vitest";
import { DEFAULTS, preferencesOf } from "../src/settings/preferences.ts";

test("what was chosen is read as it was written", () => {
  const chosen = { language: "de", theme: "day", contrast: "more", motion: "reduce", sound: true };
  expect(preferencesOf(JSON.stringify(chosen))).toEqual(chosen);
});

test("nothing stored: all as the browser and the screens have it, and no sound", () => {
  expect(preferencesOf(null)).toEqual(DEFAULTS);
  expect(DEFAULTS.sound).toBe(false);
});

test.each(["", "{", "[]", "7", '{"theme":"pink","language":"xx","sound":"yes","motion":7}'])(
  "%s, which no page of ours wrote, is as good as nothing",
  (stored) => {
    expect(preferencesOf(stored)).toEqual(DEFAULTS);
  },
);
