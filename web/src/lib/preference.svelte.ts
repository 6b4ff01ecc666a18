/** A switch that this browser remembers. */
export class Preference {
  #isOn = $state(false);

  constructor(
    readonly key: string,
    isOnAtFirst: boolean,
    readonly storage: Storage = localStorage,
  ) {
    const kept = storage.getItem(key);
    this.#isOn = kept === null ? isOnAtFirst : kept === "on";
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  set isOn(isOn: boolean) {
    this.#isOn = isOn;
    try {
      this.storage.setItem(this.key, isOn ? "on" : "off");
    } catch {
      // It holds until the page is left.
    }
  }
}
