import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Press, shortcutOf } from "../src/lib/shortcuts.ts";

class FakeElement {
  constructor(readonly selectors: string[] = []) {}
  closest(selector: string): FakeElement | null {
    return this.selectors.some((each) => selector.split(", ").includes(each)) ? this : null;
  }
}
const press = (key: string, fields: Partial<Press> = {}): Press => ({
  key,
  repeat: false,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  defaultPrevented: false,
  target: null,
  ...fields,
});
const on = (...selectors: string[]) => new FakeElement(selectors) as unknown as Element;

beforeEach(() => vi.stubGlobal("Element", FakeElement));
afterEach(() => vi.unstubAllGlobals());

describe("shortcutOf", () => {
  test.each([" ", "Enter", "ArrowRight"])("%j goes on", (key) => {
    expect(shortcutOf(press(key), true)).toBe("primary");
  });

  test("a letter does one thing, as a capital too", () => {
    expect(shortcutOf(press("p"), true)).toBe("pause");
    expect(shortcutOf(press("P"), true)).toBe("pause");
    expect(shortcutOf(press("?"), true)).toBe("help");
    expect(shortcutOf(press("x"), true)).toBeNull();
  });

  test("a host may turn the letters off; the keys that are no characters stay", () => {
    expect(shortcutOf(press("p"), false)).toBeNull();
    expect(shortcutOf(press("?"), false)).toBeNull();
    expect(shortcutOf(press("ArrowRight"), false)).toBe("primary");
  });

  test("what is typed into a field is text", () => {
    expect(shortcutOf(press("p", { target: on("input") }), true)).toBeNull();
    expect(shortcutOf(press("ArrowRight", { target: on("select") }), true)).toBeNull();
  });

  test("on a button, Space and Enter are the button's own: else they would do two things", () => {
    expect(shortcutOf(press(" ", { target: on("button") }), true)).toBeNull();
    expect(shortcutOf(press("Enter", { target: on("a[href]") }), true)).toBeNull();
    expect(shortcutOf(press("ArrowRight", { target: on("button") }), true)).toBe("primary");
  });

  test("a key held down goes on once", () => {
    expect(shortcutOf(press(" ", { repeat: true }), true)).toBeNull();
  });

  test("the browser's own shortcuts stay the browser's", () => {
    expect(shortcutOf(press("p", { ctrlKey: true }), true)).toBeNull();
    expect(shortcutOf(press("l", { metaKey: true }), true)).toBeNull();
  });
});
