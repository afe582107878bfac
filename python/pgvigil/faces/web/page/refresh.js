// When to ask again: every so often, at a click, later when nobody answers, never while hidden.

export const EVERY_SECONDS = [15, 60, 300, 1800];
const LONGEST_WAIT_SECONDS = 60;

/** Ask by `load` from now on; `onTick` is told each second what state that is in. */
export class Refresher {
  #load;
  #onTick;
  #nextAt = 0;
  #failures = 0;
  isLoading = false;
  isPaused = false;
  everySeconds = EVERY_SECONDS[0];

  constructor(load, onTick) {
    this.#load = load;
    this.#onTick = onTick;
    setInterval(() => this.#tick(), 1000);
    document.addEventListener("visibilitychange", () => this.#tick());
    this.now();
  }

  /** Ask at once. */
  async now() {
    if (this.isLoading) return;
    this.isLoading = true;
    this.#onTick(this);
    try {
      this.#failures = (await this.#load()) ? 0 : this.#failures + 1;
    } finally {
      this.isLoading = false;
      const wait = this.#failures
        ? Math.min(LONGEST_WAIT_SECONDS, 5 * 2 ** (this.#failures - 1))
        : this.everySeconds;
      this.#nextAt = Date.now() + wait * 1000;
      this.#onTick(this);
    }
  }

  /** Ask so often from now on. */
  every(seconds) {
    this.everySeconds = seconds;
    if (!this.isLoading) this.#nextAt = Math.min(this.#nextAt, Date.now()) + seconds * 1000;
    this.#tick();
  }

  /** Stop asking, or go on. */
  pause(isPaused) {
    this.isPaused = isPaused;
    this.#tick();
  }

  /** Seconds until it asks again. */
  get secondsLeft() {
    return Math.max(0, Math.ceil((this.#nextAt - Date.now()) / 1000));
  }

  #tick() {
    if (document.hidden) return;
    if (!this.isPaused && !this.isLoading && Date.now() >= this.#nextAt) this.now();
    else this.#onTick(this);
  }
}
