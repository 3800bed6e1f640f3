/**
 * How long a recording has been running, without its pauses.
 *
 * The state says "record" is true, "pause" or false; this counts what was true.
 */
export class RunningTime {
  #now;
  #state = false;
  #before = 0;
  #since = 0;

  /** @param now a function that tells milliseconds and never jumps */
  constructor(now = () => performance.now()) {
    this.#now = now;
  }

  /** The state now; the seconds begin anew with each recording. */
  told(state) {
    if (state === this.#state) return;
    if (this.#state === true) this.#before += this.#now() - this.#since;
    if (this.#state === false) this.#before = 0;
    this.#since = this.#now();
    this.#state = state;
  }

  /** It had been running before anybody here looked: for so many seconds. */
  found(seconds) {
    if (this.#state === false) return;
    this.#before = seconds * 1000;
    this.#since = this.#now();
  }

  /** Seconds. */
  get seconds() {
    const running = this.#state === true ? this.#now() - this.#since : 0;
    return (this.#before + running) / 1000;
  }
}
