/**
 * What a host's screen shows of a live session: `stage` the show with a bar of controls under it,
 * `screen` the show alone, for a projector with a machine of its own, `remote` the controls alone,
 * for the host's phone.
 */
export type StageView = "stage" | "screen" | "remote";

const VIEWS: readonly string[] = ["stage", "screen", "remote"] satisfies StageView[];

export function stageViewOf(search: string): StageView {
  const view = new URLSearchParams(search).get("view") ?? "";
  return VIEWS.includes(view) ? (view as StageView) : "stage";
}

/** The address of a view, so that a reload shows the same one. */
export const searchOf = (view: StageView): string => (view === "stage" ? "" : `?view=${view}`);
