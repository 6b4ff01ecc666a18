import { expect, test } from "vitest";
import { searchOf, stageViewOf } from "../src/lib/stage-view.ts";

test("a screen's view is in its address, so that a reload keeps it", () => {
  expect(stageViewOf("?view=remote")).toBe("remote");
  expect(stageViewOf("?view=nonsense")).toBe("stage");
  for (const view of ["stage", "screen", "remote"] as const) {
    expect(stageViewOf(searchOf(view))).toBe(view);
  }
});
