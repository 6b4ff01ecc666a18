import type { PlayersUpdate } from "./messages.ts";
import { asListed, isStale, NOBODY, type Roster, SHOWN_NAMES, withArrivals } from "./roster.ts";
import { SpacedCall } from "./spaced-call.ts";

const ASK = { everyMs: 2_000, jitterMs: 0 };

/**
 * Who is in the lobby. Messages bring those who come; who goes, or was missed, shows only in the
 * count: when it does not fit the names, the list is asked for.
 */
export class LobbyRoster {
  roster = $state.raw<Roster>(NOBODY);
  readonly #list: SpacedCall;
  #closed = false;

  constructor(readonly read: (limit: number) => Promise<{ names: string[]; count: number }>) {
    this.#list = new SpacedCall(() => void this.#ask(), ASK);
  }

  welcome({ joined, participant_count }: PlayersUpdate): void {
    // The newest name comes first on the wire, and is the last to have come.
    this.roster = withArrivals(this.roster, joined);
    this.settle(participant_count);
  }

  /** To be told how many there are: asks who they are if that is not known. */
  settle(count: number): void {
    if (!this.#closed && isStale(this.roster, count)) this.#list.ask();
  }

  close(): void {
    this.#closed = true;
    this.#list.cancel();
  }

  async #ask(): Promise<void> {
    try {
      const { names } = await this.read(SHOWN_NAMES);
      if (!this.#closed) this.roster = asListed(this.roster, names);
    } catch {
      // Names are a courtesy on this screen: the next change asks again.
    }
  }
}
