import { type Language, languageFor, localeFor } from "../strings/languages.ts";
import { readDevice, watchDevice } from "./device.ts";
import { DEFAULTS, type Preferences, preferencesOf } from "./preferences.ts";

const KEY = "tiebreak.settings";

/**
 * How this device shows things: what its reader chose, else what the browser says. All tabs follow.
 * `tokens.css` and `base.css` go by the attributes that this puts on the page's root element, and by
 * no media query: one place decides, and a choice counts more than the system's setting.
 */
class Settings {
  #preferences = $state.raw(DEFAULTS);
  #device = $state.raw(readDevice());

  readonly language: Language = $derived(
    this.#preferences.language === "auto"
      ? languageFor(this.#device.languages)
      : this.#preferences.language,
  );
  readonly locale: string = $derived(localeFor(this.language, this.#device.languages));
  readonly isStill: boolean = $derived(
    this.#preferences.motion === "auto"
      ? this.#device.isStillnessWanted
      : this.#preferences.motion === "reduce",
  );
  readonly isContrastHigh: boolean = $derived(
    this.#preferences.contrast === "auto"
      ? this.#device.isContrastWanted
      : this.#preferences.contrast === "more",
  );

  constructor() {
    this.#read();
    watchDevice(() => {
      this.#device = readDevice();
      this.#show();
    });
    globalThis.addEventListener?.("storage", ({ key }) => {
      if (key === KEY || key === null) this.#read();
    });
  }

  get preferences(): Preferences {
    return this.#preferences;
  }

  get isSoundOn(): boolean {
    return this.#preferences.sound;
  }

  choose(chosen: Partial<Preferences>): void {
    this.#preferences = { ...this.#preferences, ...chosen };
    try {
      localStorage.setItem(KEY, JSON.stringify(this.#preferences));
    } catch {
      // Storage is full or forbidden: the choice holds for as long as the page does.
    }
    this.#show();
  }

  #read(): void {
    this.#preferences = preferencesOf(stored());
    this.#show();
  }

  #show(): void {
    const root = globalThis.document?.documentElement;
    if (!root) return;
    root.lang = this.language;
    root.dataset["theme"] = this.#preferences.theme;
    root.dataset["contrast"] = this.isContrastHigh ? "more" : "standard";
    root.dataset["motion"] = this.isStill ? "reduce" : "full";
  }
}

function stored(): string | null {
  try {
    return globalThis.localStorage?.getItem(KEY) ?? null;
  } catch {
    return null;
  }
}

export const settings = new Settings();
