import { readdirSync, readFileSync } from "node:fs";
import { parse } from "svelte/compiler";
import { describe, expect, test } from "vitest";
import { Problem } from "../src/lib/problem.ts";
import { fill, t } from "../src/strings/catalogue.ts";
import { en } from "../src/strings/en.ts";
import { problemText } from "../src/strings/problem-text.ts";

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

  test("the server's detail, and else its title, where there are none", () => {
    expect(problemText(new Problem("request_invalid", 400, "Bad", "points: too many"))).toBe(
      "points: too many",
    );
    expect(problemText(new Problem("request_invalid", 400, "Bad"))).toBe("Bad");
  });

  test("how long to wait, when the server says so", () => {
    expect(problemText(new Problem("too_many_tries", 429, "", null, 1500))).toContain("2 seconds");
  });
});

// Text that a translator could not reach: words between tags, or in an attribute that is read out.
const SPOKEN = new Set(
  "alt aria-label aria-description label placeholder title heading text hint confirm cancel".split(" "),
);
const WORDS = /\p{L}{2,}/u;

interface Node {
  type?: string;
  name?: unknown;
  data?: unknown;
}

function hardCoded(node: unknown, found: string[] = []): string[] {
  if (typeof node !== "object" || node === null) return found;
  const { type, name, data } = node as Node;
  if (type === "Text" && typeof data === "string" && WORDS.test(data)) found.push(data.trim());
  if (type === "StyleDirective" || (type === "Attribute" && !SPOKEN.has(String(name)))) {
    // Class names, paths and the like are text to the parser only.
    return found;
  }
  for (const child of Object.values(node)) hardCoded(child, found);
  return found;
}

const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((file) => /\.(svelte|ts)$/.test(file))
  .map((file) => `src/${file}`);
const components = sources.filter((file) => file.endsWith(".svelte"));

test("there are components to look at", () => {
  expect(components.length).toBeGreaterThan(30);
});

test.each(components)("%s says nothing outside the catalogue", (file) => {
  const { fragment } = parse(readFileSync(file, "utf8"), { modern: true, filename: file });
  expect(hardCoded(fragment)).toEqual([]);
});

test("every message is used", () => {
  const code = sources
    .filter((file) => !file.endsWith("en.ts"))
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
  const isUsed = (key: string) =>
    code.includes(`"${key}"`) || key.startsWith("problem.") || key.startsWith("editor.type.");
  expect(Object.keys(en).filter((key) => !isUsed(key))).toEqual([]);
});
