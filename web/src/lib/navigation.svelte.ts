import { type Route, routeOf } from "./route.ts";

/** Asked before leaving a screen that holds unsaved work; calls `leave` if that is all right. */
export type Guard = (leave: () => void) => void;

class Navigation {
  #pathname = $state(location.pathname);
  readonly route: Route = $derived(routeOf(this.#pathname));
  guard: Guard | null = null;
  /** What the address bar says, which may be ahead of the screen: see `readdress`. */
  #address = location.pathname;

  constructor() {
    window.addEventListener("popstate", () => this.#popped());
    document.addEventListener("click", (event) => this.#clicked(event));
  }

  go(pathname: string): void {
    this.#leaving(() => {
      history.pushState(null, "", pathname);
      this.#show(pathname);
    });
  }

  /** For a step that Back should not return to, such as a form already done. */
  replace(pathname: string): void {
    this.readdress(pathname);
    this.#show(pathname);
  }

  /** Gives the screen that is shown another address, as when a new quiz gets its id. */
  readdress(pathname: string): void {
    history.replaceState(null, "", pathname);
    this.#address = pathname;
  }

  #show(pathname: string): void {
    this.#address = pathname;
    this.#pathname = pathname;
  }

  #leaving(leave: () => void): void {
    if (this.guard === null) return leave();
    this.guard(() => {
      this.guard = null;
      leave();
    });
  }

  #popped(): void {
    const target = location.pathname;
    if (this.guard === null) {
      this.#show(target);
      return;
    }
    // The browser has moved already: put the address back, then ask.
    history.pushState(null, "", this.#address);
    this.go(target);
  }

  #clicked(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || link.target !== "" || link.origin !== location.origin) return;
    event.preventDefault();
    this.go(link.pathname);
  }
}

export const navigation = new Navigation();
