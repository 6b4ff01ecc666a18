import { expect, test } from "vitest";
import { fitted } from "../src/lib/image-file.ts";

test("a large image is fitted by its longer side, and its shape stays", () => {
  expect(fitted(4000, 3000)).toEqual({ width: 1600, height: 1200 });
  expect(fitted(3000, 4000)).toEqual({ width: 1200, height: 1600 });
});

test("a small one is left as it is, and none becomes nothing", () => {
  expect(fitted(640, 480)).toEqual({ width: 640, height: 480 });
  expect(fitted(20_000, 1)).toEqual({ width: 1600, height: 1 });
});
