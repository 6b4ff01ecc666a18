import type { GameOptions } from "./messages.ts";

/** How a host starts a quiz: chosen in a dialog, remembered for the next time. */
export interface StartChoices {
  mode: "live" | "self_paced";
  options: Required<GameOptions>;
}

export const MAX_TEAMS = 12;
const MAX_TEAM_NAME = 40;

export const defaults: StartChoices = {
  mode: "live",
  options: {
    scoring: "speed",
    streak_bonus: false,
    partial_credit: true,
    latency_credit: true,
    shuffle_choices: false,
    auto_advance: false,
    close_when_all_answered: true,
    late_join: true,
    phones: "full",
    names: "filtered",
    teams: [],
    team_score: "average",
  },
};

const allowed = {
  scoring: ["accuracy", "speed", "fair"],
  phones: ["full", "shapes"],
  names: ["free", "filtered", "generated"],
  team_score: ["average", "sum"],
} as const;

const KEY = "tiebreak.start";

/** What was chosen last time; what is missing or unknown, as from another version, is the default. */
export function rememberedChoices(storage: Storage = localStorage): StartChoices {
  try {
    const kept = JSON.parse(storage.getItem(KEY) ?? "{}") as Partial<StartChoices>;
    const options: Required<GameOptions> = { ...defaults.options };
    for (const [name, value] of Object.entries(kept.options ?? {})) {
      if (isAllowed(name, value)) Object.assign(options, { [name]: value });
    }
    return { mode: kept.mode === "self_paced" ? "self_paced" : defaults.mode, options };
  } catch {
    return structuredClone(defaults);
  }
}

export function rememberChoices(choices: StartChoices, storage: Storage = localStorage): void {
  try {
    storage.setItem(KEY, JSON.stringify(choices));
  } catch {
    // Next time the defaults are shown.
  }
}

export type StartBody = { mode: "self_paced" } | ({ mode: "live" } & GameOptions);

/** What goes with the quiz's id: a self-paced session takes no options. */
export function startBody({ mode, options }: StartChoices): StartBody {
  if (mode === "self_paced") return { mode };
  return { mode, ...options, teams: teamsOf(options.teams) };
}

/** The teams as they are sent: without blanks around them, and without the empty fields. */
export const teamsOf = (teams: readonly string[]): string[] =>
  teams.map((team) => team.trim()).filter((team) => team !== "");

export type TeamsFault = "start.teams.one" | "start.teams.double" | "start.teams.long";

/** Why these teams cannot be played with; null if they can, as can none at all. */
export function teamsFault(teams: readonly string[]): TeamsFault | null {
  const given = teamsOf(teams);
  if (given.length === 1) return "start.teams.one";
  if (new Set(given).size < given.length) return "start.teams.double";
  return given.some((team) => [...team].length > MAX_TEAM_NAME) ? "start.teams.long" : null;
}

function isAllowed(name: string, value: unknown): boolean {
  if (!(name in defaults.options)) return false;
  if (name in allowed) return (allowed[name as keyof typeof allowed] as readonly unknown[]).includes(value);
  if (name === "teams") {
    const areNames = Array.isArray(value) && value.every((team) => typeof team === "string");
    return areNames && value.length <= MAX_TEAMS;
  }
  return typeof value === "boolean";
}
