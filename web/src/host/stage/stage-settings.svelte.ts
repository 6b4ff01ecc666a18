import { Preference } from "../../lib/preference.svelte.ts";
import { searchOf, type StageView, stageViewOf } from "../../lib/stage-view.ts";

/** How this one screen of a host shows the game and is led: nobody else's looks change with it. */
export class StageSettings {
  view = $state<StageView>(stageViewOf(location.search));
  /** Shortcuts of one letter (WCAG 2.1.4). */
  readonly letters = new Preference("tiebreak.shortcuts", true);

  show(view: StageView): void {
    this.view = view;
    history.replaceState(history.state, "", location.pathname + searchOf(view));
  }
}
