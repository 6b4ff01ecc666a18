import { host } from "../lib/login.ts";

/** `lapsed`: there was a login on this page, and what is on the screen must outlive its loss. */
type HostLoginState = "none" | "present" | "lapsed";

class HostLogin {
  state = $state<HostLoginState>(host.stored ? "present" : "none");
  name = $state(host.stored?.name ?? "");

  constructor() {
    host.onLapse = () => this.read();
    window.addEventListener("storage", ({ key }) => {
      if (host.isStoredUnder(key)) this.read();
    });
  }

  read(): void {
    const login = host.stored;
    if (login !== null) {
      this.state = "present";
      this.name = login.name;
    } else if (this.state === "present") {
      this.state = "lapsed";
    }
  }

  leave(): void {
    this.state = "none";
  }
}

export const hostLogin = new HostLogin();
