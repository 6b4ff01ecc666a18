import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Problem } from "../src/lib/problem.ts";
import { fill, t } from "../src/strings/catalogue.ts";
import { en } from "../src/strings/en.ts";
import { problemText } from "../src/strings/problem-text.ts";
import { spokenText } from "./spoken-text.ts";

describe("t", () => {
  test("fills in what the message leaves open, numbers in the reader's way", () => {
    expect(t("play.progress", { number: 2, count: 1000 })).toBe("Question 2 of 1,000");
  });

  test("chooses the form that the count asks for", () => {
    expect(t("join.players", { count: 1 })).toBe("1 player");
    expect(t("join.players", { count: 0 })).toBe("0 players");
  });

  test("a message without the form asked for uses the general one", () => {
    expect(fill({ other: "{count} things" }, { count: 1 })).toBe("1 things");
  });
});

describe("problemText", () => {
  test("our own words where there are some", () => {
    expect(problemText(new Problem("email_taken", 409, "x", "y"))).toContain("Log in instead");
  });

  test("a refused form is told the server's detail, which no catalogue has", () => {
    const refusal = new Problem("request_invalid", 400, "Bad", "points: too many");
    expect(problemText(refusal)).toContain("points: too many");
    expect(problemText(new Problem("request_invalid", 400, "Bad"))).toContain("Check what");
  });

  test("a refusal of another kind may mean the same to a person", () => {
    expect(problemText(new Problem("token_expired", 401, ""))).toBe("Please log in again.");
  });

  test("what a server says that is newer than this page", () => {
    expect(problemText(new Problem("no_such_code", 400, "Title"))).toContain("no_such_code");
  });

  test("how long to wait, when the server says so", () => {
    expect(problemText(new Problem("too_many_tries", 429, "", null, 1500))).toContain("2 seconds");
  });
});

const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((file) => /\.(svelte|ts)$/.test(file))
  .map((file) => `src/${file}`);
const components = sources.filter((file) => file.endsWith(".svelte"));

test("there are components to look at", () => {
  expect(components.length).toBeGreaterThan(30);
});

test.each(components)("%s says nothing outside the catalogue", (file) => {
  expect(spokenText(readFileSync(file, "utf8"), file)).toEqual([]);
});

test.each([
  ["<p>Hello</p>", "Hello"],
  ['<p>{isOn ? "Yes" : t("no")}</p>', "Yes"],
  ["<p>{`Row ${number}`}</p>", "Row"],
  ['<button aria-label="Close"></button>', "Close"],
  ['<button aria-label={t("close")} title={"Close" + name}></button>', "Close"],
  ['<Field caption="Your name" look="quiet" />', "Your name"],
  ['<Field label={error ?? "missing"} />', "missing"],
])("%s is noticed", (source, text) => {
  expect(spokenText(source, "Test.svelte")).toEqual([text]);
});

test("every message is used", () => {
  const code = sources
    .filter((file) => !/strings\/(en|de)\.ts$/.test(file))
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
  // By its name, or by one made of a beginning and what stands at hand: `editor.type.${type}`.
  const isUsed = (key: string) =>
    code.includes(`"${key}"`) ||
    key.split(".").some((_, at, parts) => code.includes(`\`${parts.slice(0, at).join(".")}.\${`));
  expect(Object.keys(en).filter((key) => !isUsed(key))).toEqual([]);
});
