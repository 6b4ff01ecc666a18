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
  #count = 0;
  #closed = false;

  /** `read`: names in the order they came, from `offset`. */
  constructor(readonly read: (limit: number, offset: number) => Promise<string[]>) {
    this.#list = new SpacedCall(() => void this.#ask(), ASK);
  }

  welcome({ joined, participant_count }: PlayersUpdate): void {
    this.roster = withArrivals(this.roster, joined, joined.length === participant_count);
    this.settle(participant_count);
  }

  /** To be told how many there are: asks who they are if that is not known. */
  settle(count: number): void {
    this.#count = count;
    if (!this.#closed && isStale(this.roster, count)) this.#list.ask();
  }

  close(): void {
    this.#closed = true;
    this.#list.cancel();
  }

  async #ask(): Promise<void> {
    try {
      const names = await this.read(SHOWN_NAMES, Math.max(0, this.#count - SHOWN_NAMES));
      if (!this.#closed) this.roster = asListed(this.roster, names);
    } catch {
      // Names are a courtesy on this screen: the next change asks again.
    }
  }
}
