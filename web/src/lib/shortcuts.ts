/** What a key does on the stage. One letter each, so a host can turn them off (WCAG 2.1.4). */
export const shortcuts = {
  primary: [" ", "Enter", "ArrowRight"],
  close: ["c"],
  skip: ["s"],
  pause: ["p"],
  add_10: ["+"],
  auto: ["a"],
  lock: ["l"],
  end: ["e"],
  panel: ["u"],
  sound: ["m"],
  fullscreen: ["f"],
  help: ["?"],
} as const;

export type Shortcut = keyof typeof shortcuts;

export type Press = Pick<
  KeyboardEvent,
  "key" | "repeat" | "ctrlKey" | "metaKey" | "altKey" | "target" | "defaultPrevented"
>;

/** What is typed, chosen or pressed there is for the element, not for the stage. */
const OWN_KEYS = "input, select, textarea, dialog, [contenteditable]";
const PRESSABLE = "button, a[href], summary, [role=switch]";

export function shortcutOf(press: Press, areLettersOn: boolean): Shortcut | null {
  if (press.defaultPrevented || press.repeat) return null;
  if (press.ctrlKey || press.metaKey || press.altKey) return null;
  const isOn = (selector: string) =>
    press.target instanceof Element && press.target.closest(selector) !== null;
  if (isOn(OWN_KEYS)) return null;
  if ((press.key === " " || press.key === "Enter") && isOn(PRESSABLE)) return null;
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  for (const [name, keys] of Object.entries(shortcuts) as [Shortcut, readonly string[]][]) {
    if (keys.includes(key)) return areLettersOn || !isLetter(key) ? name : null;
  }
  return null;
}

/** Letters, figures and signs: what speech input or a slip may type. */
const isLetter = (key: string) => key.length === 1 && key !== " ";
