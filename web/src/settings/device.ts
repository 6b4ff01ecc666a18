/** What the browser says its reader wants. */
export interface Device {
  languages: readonly string[];
  isContrastWanted: boolean;
  isStillnessWanted: boolean;
}

const CONTRAST = "(prefers-contrast: more)";
const STILLNESS = "(prefers-reduced-motion: reduce)";

export const readDevice = (): Device => ({
  languages: globalThis.navigator?.languages ?? [],
  isContrastWanted: matches(CONTRAST),
  isStillnessWanted: matches(STILLNESS),
});

/** Calls when the answer may have changed: a system's settings can be, while the page is open. */
export function watchDevice(changed: () => void): void {
  for (const query of [CONTRAST, STILLNESS]) {
    globalThis.matchMedia?.(query).addEventListener("change", changed);
  }
  globalThis.addEventListener?.("languagechange", changed);
}

const matches = (query: string) => globalThis.matchMedia?.(query).matches ?? false;
