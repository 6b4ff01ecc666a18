/** Notes of the show: frequency in Hz, start and length in seconds. */
type Note = readonly [hertz: number, at: number, seconds: number];

const SOUNDS = {
  join: [[660, 0, 0.08]],
  tick: [[880, 0, 0.05]],
  open: [
    [523, 0, 0.12],
    [784, 0.12, 0.2],
  ],
  close: [
    [392, 0, 0.15],
    [262, 0.15, 0.3],
  ],
  reveal: [
    [523, 0, 0.1],
    [659, 0.1, 0.1],
    [784, 0.2, 0.25],
  ],
  board: [[587, 0, 0.2]],
  step: [
    [523, 0, 0.12],
    [659, 0.12, 0.12],
    [784, 0.24, 0.12],
    [1047, 0.36, 0.5],
  ],
} as const satisfies Record<string, readonly Note[]>;

export type Sound = keyof typeof SOUNDS;

const LOUDNESS = 0.12;

/** Plays the show's sounds; silent until switched on, and where a browser makes no sound. */
export class StageSounds {
  #context: AudioContext | null = null;

  constructor(readonly isOn: () => boolean) {}

  play(sound: Sound): void {
    if (!this.isOn()) return;
    try {
      this.#context ??= new AudioContext();
      // Begun before the first click on the page, it would stay suspended.
      void this.#context.resume();
      for (const note of SOUNDS[sound]) this.#sound(this.#context, note);
    } catch {
      // The game goes on without.
    }
  }

  close(): void {
    void this.#context?.close();
    this.#context = null;
  }

  #sound(context: AudioContext, [hertz, at, seconds]: Note): void {
    const start = context.currentTime + at;
    const loudness = context.createGain();
    loudness.gain.setValueAtTime(0, start);
    loudness.gain.linearRampToValueAtTime(LOUDNESS, start + 0.01);
    loudness.gain.exponentialRampToValueAtTime(0.001, start + seconds);
    const tone = new OscillatorNode(context, { type: "triangle", frequency: hertz });
    tone.connect(loudness).connect(context.destination);
    tone.start(start);
    tone.stop(start + seconds);
  }
}
