import { settings } from "../settings/settings.svelte.ts";

/** A tone: its pitch, when it begins, and how long it sounds. */
interface Tone {
  hz: number;
  atMs: number;
  ms: number;
}

const tone = (hz: number, atMs: number, ms: number): Tone => ({ hz, atMs, ms });

const CUES = {
  opens: [tone(523, 0, 110), tone(784, 110, 180)],
  sent: [tone(660, 0, 80)],
  right: [tone(523, 0, 120), tone(659, 120, 120), tone(784, 240, 260)],
  wrong: [tone(294, 0, 180), tone(233, 180, 260)],
  closed: [tone(392, 0, 220)],
  joined: [tone(660, 0, 70)],
  tick: [tone(880, 0, 50)],
  revealed: [tone(523, 0, 100), tone(784, 100, 220)],
  board: [tone(587, 0, 180)],
  podium: [tone(523, 0, 150), tone(659, 150, 150), tone(784, 300, 150), tone(1047, 450, 480)],
} as const satisfies Record<string, readonly Tone[]>;

export type Cue = keyof typeof CUES;

const LOUDNESS = 0.12;

let context: AudioContext | null = null;

/**
 * A short tone, made by the browser itself, if the reader's settings want it: they do not until asked.
 * Nothing is ever said by a tone alone.
 */
export function playTone(cue: Cue): void {
  if (!settings.isSoundOn || typeof AudioContext === "undefined") return;
  context ??= new AudioContext();
  // After a reload the browser keeps quiet until the page is touched: too late for this tone.
  if (context.state === "suspended") void context.resume();
  for (const each of CUES[cue]) sound(context, each);
}

function sound(audio: AudioContext, { hz, atMs, ms }: Tone): void {
  const begins = audio.currentTime + atMs / 1000;
  const ends = begins + ms / 1000;
  const oscillator = new OscillatorNode(audio, { type: "triangle", frequency: hz });
  const volume = new GainNode(audio, { gain: 0 });
  volume.gain.setValueAtTime(0, begins);
  volume.gain.linearRampToValueAtTime(LOUDNESS, begins + 0.01);
  volume.gain.exponentialRampToValueAtTime(0.001, ends);
  oscillator.connect(volume).connect(audio.destination);
  oscillator.start(begins);
  oscillator.stop(ends);
}
