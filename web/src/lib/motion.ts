import type { AnimationConfig } from "svelte/animate";
import { flip } from "svelte/animate";
import type { TransitionConfig } from "svelte/transition";
import { scale } from "svelte/transition";
import { settings } from "../settings/settings.svelte.ts";

const still = () => settings.isStill;

/** A row glides from its old rank to its new one; under reduced motion it is simply there. */
export function glide(node: Element, rects: { from: DOMRect; to: DOMRect }): AnimationConfig {
  return still() ? { duration: 0 } : flip(node, rects, { duration: 600 });
}

/** The same for what a finger has just moved: quicker, as the next tap may already be on its way. */
export function settle(node: Element, rects: { from: DOMRect; to: DOMRect }): AnimationConfig {
  return still() ? { duration: 0 } : flip(node, rects, { duration: 160 });
}

/** Who comes in grows into place; under reduced motion they are simply there. */
export function arrive(node: Element): TransitionConfig {
  return still() ? { duration: 0 } : scale(node, { duration: 420, start: 0.3 });
}

export { still as isMotionReduced };
