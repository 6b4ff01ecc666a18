import { afterEach, expect, test, vi } from "vitest";
import { playTone } from "../src/lib/tones.ts";
import { settings } from "../src/settings/settings.svelte.ts";

afterEach(() => {
  settings.choose({ sound: false });
  vi.unstubAllGlobals();
});

test("nothing sounds until somebody wants it to", () => {
  const AudioContext = vi.fn<() => void>();
  vi.stubGlobal("AudioContext", AudioContext);
  playTone("right");
  expect(AudioContext).not.toHaveBeenCalled();
});

test("a browser that makes no tones is just quiet", () => {
  settings.choose({ sound: true });
  expect(() => playTone("right")).not.toThrow();
});
