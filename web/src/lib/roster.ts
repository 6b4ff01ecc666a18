/** Names that are in the lobby, in the order they came. Within one live session no two are alike. */
export interface Roster {
  names: string[];
  /** Those who came with the last message: they make an entrance. */
  fresh: ReadonlySet<string>;
}

export const NOBODY: Roster = { names: [], fresh: new Set() };

/** What is shown at most; the count says how many there are. */
export const SHOWN_NAMES = 200;

/**
 * The roster when more have come: who is there already stays in place. Of a small room the message
 * names everybody (`isWhole`), so whoever it does not name has left, or has another name.
 */
export function withArrivals(roster: Roster, joined: readonly string[], isWhole = false): Roster {
  const known = new Set(roster.names);
  const named = new Set(joined);
  const stayed = isWhole ? roster.names.filter((name) => named.has(name)) : roster.names;
  const arrived = [...named].filter((name) => !known.has(name));
  return { names: [...stayed, ...arrived].slice(-SHOWN_NAMES), fresh: new Set(arrived) };
}

/** The roster as the server has it, after a reload or when somebody has left. */
export function asListed(roster: Roster, listed: readonly string[]): Roster {
  const known = new Set(roster.names);
  const arrived = roster.names.length === 0 ? [] : listed.filter((name) => !known.has(name));
  return { names: listed.slice(-SHOWN_NAMES), fresh: new Set(arrived) };
}

/** Whether the roster must be asked for: somebody is on it who left, or missing who came. */
export const isStale = ({ names }: Roster, count: number): boolean =>
  names.length !== Math.min(count, SHOWN_NAMES);
