/** Opens a dialog over the page when it appears, and gives the focus back when it goes. */
export function modal(dialog: HTMLDialogElement): () => void {
  const before = document.activeElement;
  dialog.showModal();
  return () => {
    dialog.close();
    // The browser does this for a dialog that stays in the page; ours is gone by then.
    if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
  };
}
