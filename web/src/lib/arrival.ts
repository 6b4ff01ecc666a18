/** Moves the focus here when it appears, so that a change of screen is heard as well as seen. */
export function arrival(node: HTMLElement): void {
  if (node.tabIndex < 0) node.tabIndex = -1;
  node.focus({ preventScroll: true });
}
