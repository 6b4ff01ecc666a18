import { expect, test } from "vitest";
import { newAnswerId } from "../src/lib/answer-id.ts";

const VERSION_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test("a UUID of version 4 in a secure context", () => {
  expect(newAnswerId()).toMatch(VERSION_4);
});

test("a UUID of version 4 where there is no randomUUID, as on a phone by plain http", () => {
  const insecure = { getRandomValues: crypto.getRandomValues.bind(crypto) } as Crypto;
  const ids = Array.from({ length: 500 }, () => newAnswerId(insecure));
  for (const id of ids) expect(id).toMatch(VERSION_4);
  expect(new Set(ids).size).toBe(ids.length);
});
