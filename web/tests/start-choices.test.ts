import { describe, expect, test } from "vitest";
import { defaults, rememberChoices, rememberedChoices, startBody, teamsFault } from "../src/lib/start-choices.ts";
import { memoryStorage } from "./memory-storage.ts";

describe("how a quiz is started", () => {
  test("is as it was the last time", () => {
    const storage = memoryStorage();
    const chosen = { mode: "live" as const, options: { ...defaults.options, scoring: "fair" as const, teams: ["A", "B"] } };
    rememberChoices(chosen, storage);
    expect(rememberedChoices(storage)).toEqual(chosen);
  });

  test("is as usual where nothing, or nonsense, was kept", () => {
    const storage = memoryStorage();
    expect(rememberedChoices(storage)).toEqual(defaults);
    storage.setItem("tiebreak.start", "{");
    expect(rememberedChoices(storage)).toEqual(defaults);
    storage.setItem(
      "tiebreak.start",
      JSON.stringify({ mode: "relay", options: { scoring: "luck", streak_bonus: "yes", teams: [1], pace: 3 } }),
    );
    expect(rememberedChoices(storage)).toEqual(defaults);
  });

  test("a self-paced session takes no options; a live one no empty teams", () => {
    expect(startBody({ ...defaults, mode: "self_paced" })).toEqual({ mode: "self_paced" });
    const options = { ...defaults.options, teams: [" Owls ", "", "Pandas"] };
    expect(startBody({ mode: "live", options })).toMatchObject({ mode: "live", teams: ["Owls", "Pandas"] });
  });

  test("teams are none, or two and more with different names", () => {
    expect(teamsFault([])).toBeNull();
    expect(teamsFault(["", ""])).toBeNull();
    expect(teamsFault(["Owls", ""])).toBe("start.teams.one");
    expect(teamsFault(["Owls", "Owls "])).toBe("start.teams.double");
    expect(teamsFault(["Owls", "x".repeat(41)])).toBe("start.teams.long");
    expect(teamsFault(["Owls", "Pandas"])).toBeNull();
  });
});

