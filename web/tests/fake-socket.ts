/** A connection whose server side is the test. */
export class FakeSocket {
  connected = false;
  readonly asked: string[] = [];
  refusal: string | null = null;
  answer: (name: string) => object = () => ({});
  readonly #handlers = new Map<string, (message: unknown) => void>();

  on(name: string, handler: (message: unknown) => void): void {
    this.#handlers.set(name, handler);
  }
  say(name: string, body?: unknown): void {
    this.#handlers.get(name)?.(body);
  }
  connect(): void {
    this.connected = true;
    this.say("connect");
  }
  drop(): void {
    this.connected = false;
    this.say("disconnect");
  }
  timeout(): this {
    return this;
  }
  async emitWithAck(name: string): Promise<object> {
    this.asked.push(name);
    if (this.refusal) return { ok: false, code: this.refusal, title: "" };
    return { ok: true, ...this.answer(name) };
  }
  emit(name: string): void {
    this.asked.push(name);
  }
  close(): void {
    this.connected = false;
  }
}
