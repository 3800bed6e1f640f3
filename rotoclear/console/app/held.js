/**
 * What a control shows while a person moves it.
 *
 * Values that the server tells are older than what the hand does: while it holds the control, and
 * until its last value has been answered, they are kept back. Then the newest of them counts.
 */
export class Held {
  #shown;
  #told;
  #holding = false;
  #waiting = false;

  constructor(value) {
    this.#shown = this.#told = value;
  }

  /** What is to be seen. */
  get shown() {
    return this.#shown;
  }

  /** The hand takes the control. */
  grasp() {
    this.#holding = true;
  }

  /** The hand has moved it; this value is sent. */
  move(value) {
    this.#shown = value;
    this.#waiting = true;
  }

  /** The hand lets go. */
  release() {
    this.#holding = false;
    this.#settle();
  }

  /** The last value that was sent has been answered (or refused). */
  answered() {
    this.#waiting = false;
    this.#settle();
  }

  /** The server has told a value. */
  told(value) {
    this.#told = value;
    this.#settle();
  }

  #settle() {
    if (!this.#holding && !this.#waiting) this.#shown = this.#told;
  }
}
