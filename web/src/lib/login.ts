import { exclusive } from "./exclusive.ts";
import type { Tokens } from "./messages.ts";
import { loginLapsed, Problem } from "./problem.ts";
import { type Call, type NamedFile, request, requestFile } from "./request.ts";

/** One browser may play and host at once, as two different users. */
export type LoginName = "player" | "host";

export interface StoredLogin {
  user_id: string;
  name: string;
  access_token: string;
  refresh_token: string;
  /** By this device's clock, which may differ from the server's; lifetimes are what travels. */
  expires_at: number;
}

/** Refreshed this long before its end, so that a token does not lapse on its way. */
const MARGIN_MS = 60_000;

/**
 * One user's tokens, in localStorage and nowhere else: tabs share them, and refresh tokens rotate
 * (using one twice revokes them all), so every use reads what another tab may have just written.
 */
export class Login {
  readonly #key: string;
  #refreshing: Promise<StoredLogin> | null = null;
  /** Called when the server has refused the refresh token: nothing but a new login will do. */
  onLapse: () => void = () => {};

  constructor(readonly name: LoginName) {
    this.#key = `tiebreak.${name}`;
  }

  get stored(): StoredLogin | null {
    try {
      return JSON.parse(localStorage.getItem(this.#key) ?? "null") as StoredLogin | null;
    } catch {
      return null;
    }
  }

  isStoredUnder(key: string | null): boolean {
    return key === this.#key || key === null;
  }

  save(tokens: Tokens, name: string): void {
    const { user_id, access_token, refresh_token, expires_in } = tokens;
    const expires_at = Date.now() + expires_in * 1000;
    const login: StoredLogin = { user_id, name, access_token, refresh_token, expires_at };
    localStorage.setItem(this.#key, JSON.stringify(login));
  }

  forget(): void {
    localStorage.removeItem(this.#key);
  }

  /** An access token good for the next minute. */
  async accessToken(): Promise<string> {
    const login = this.stored;
    if (login === null) throw loginLapsed();
    if (login.expires_at - Date.now() > MARGIN_MS) return login.access_token;
    return (await this.refresh(login.access_token)).access_token;
  }

  /** Calls with this login; a 401 is answered once with fresh tokens. */
  call<T>(call: Call): Promise<T> {
    return this.#ask((token) => request<T>(call, token));
  }

  /** The same for a file. */
  file(call: Call): Promise<NamedFile> {
    return this.#ask((token) => requestFile(call, token));
  }

  async #ask<T>(ask: (token: string) => Promise<T>): Promise<T> {
    const token = await this.accessToken();
    try {
      return await ask(token);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error;
      return ask((await this.refresh(token)).access_token);
    }
  }

  /** Replaces the tokens unless another tab, or call, has already replaced `staleToken`. */
  refresh(staleToken: string): Promise<StoredLogin> {
    this.#refreshing ??= exclusive(`refresh.${this.name}`, () => this.#rotate(staleToken)).finally(
      () => (this.#refreshing = null),
    );
    return this.#refreshing;
  }

  async #rotate(staleToken: string): Promise<StoredLogin> {
    const login = this.stored;
    if (login === null) throw loginLapsed();
    if (login.access_token !== staleToken) return login;
    try {
      const body = { refresh_token: login.refresh_token };
      this.save(await request<Tokens>({ method: "POST", path: "/auth/refresh", body }), login.name);
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 401) throw error;
      this.forget();
      this.onLapse();
      throw loginLapsed();
    }
    return this.stored ?? login;
  }
}

export const player = new Login("player");
export const host = new Login("host");
