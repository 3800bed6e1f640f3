// Time that stands still until a test lets it pass.

export class Clock {
  now = 0;
  #timers = new Map();
  #number = 0;
  #real = {};

  install() {
    this.#real = { setTimeout, clearTimeout, performance };
    globalThis.setTimeout = (call, delay = 0) => {
      this.#number += 1;
      this.#timers.set(this.#number, { at: this.now + delay, call });
      return this.#number;
    };
    globalThis.clearTimeout = (number) => this.#timers.delete(number);
    Object.defineProperty(globalThis, "performance", {
      value: { now: () => this.now }, configurable: true, writable: true,
    });
  }

  uninstall() {
    Object.defineProperty(globalThis, "performance", {
      value: this.#real.performance, configurable: true, writable: true,
    });
    globalThis.setTimeout = this.#real.setTimeout;
    globalThis.clearTimeout = this.#real.clearTimeout;
  }

  /** Let milliseconds pass, and everything happen that is due in them. */
  async advance(milliseconds) {
    const end = this.now + milliseconds;
    await settle();
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end);
      if (!due.length) break;
      due.sort(([a, first], [b, second]) => first.at - second.at || a - b);
      const [[number, { at, call }]] = due;
      this.#timers.delete(number);
      this.now = at;
      call();
      await settle();
    }
    this.now = end;
  }
}

/** Let every promise go as far as it can. */
export async function settle() {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
}
