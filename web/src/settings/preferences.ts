import { isLanguage, type Language } from "../strings/languages.ts";

/** What a reader chose on this device. "auto": the browser's word counts, and the screen's own look. */
export interface Preferences {
  language: Language | "auto";
  theme: (typeof THEMES)[number];
  contrast: (typeof CONTRASTS)[number];
  motion: (typeof MOTIONS)[number];
  sound: boolean;
}

export const THEMES = ["auto", "night", "day"] as const;
export const CONTRASTS = ["auto", "more", "standard"] as const;
export const MOTIONS = ["auto", "reduce", "full"] as const;

export const DEFAULTS: Preferences = {
  language: "auto",
  theme: "auto",
  contrast: "auto",
  motion: "auto",
  sound: false,
};

/** As stored by any version of the page, or by hand: what is not understood is left at its default. */
export function preferencesOf(stored: string | null): Preferences {
  const { language, theme, contrast, motion, sound } = fieldsOf(stored);
  return {
    language: isLanguage(language) ? language : DEFAULTS.language,
    theme: oneOf(THEMES, theme),
    contrast: oneOf(CONTRASTS, contrast),
    motion: oneOf(MOTIONS, motion),
    sound: sound === true,
  };
}

const oneOf = <T extends string>(known: readonly [T, ...T[]], value: unknown): T =>
  known.find((each) => each === value) ?? known[0];

function fieldsOf(stored: string | null): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(stored ?? "null");
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
