export const isFullScreen = (): boolean => document.fullscreenElement !== null;

/** A browser may refuse, as without a click: then the page stays as it is. */
export async function toggleFullScreen(): Promise<void> {
  try {
    if (isFullScreen()) await document.exitFullscreen();
    else await document.documentElement.requestFullscreen();
  } catch {
    // Nothing is lost but the size.
  }
}
