import type { Answer } from "./messages.ts";

/** The items' places as they are on the screen: as given if that names each once, else as they came. */
export function orderOf(count: number, given: Answer | null): number[] {
  const asShown = Array.from({ length: count }, (_, item) => item);
  if (!Array.isArray(given)) return asShown;
  const isWhole = given.length === count && asShown.every((item) => given.includes(item));
  return isWhole ? [...given] : asShown;
}

/** The order with the item at `place` moved up or down by one; at an end it stays. */
export function moved(order: number[], place: number, by: -1 | 1): number[] {
  const other = place + by;
  const [here, there] = [order[place], order[other]];
  if (here === undefined || there === undefined) return order;
  return order.map((item, at) => (at === place ? there : at === other ? here : item));
}
