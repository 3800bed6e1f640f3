/** Who is at the page and what they may do: the client, its token, and the server's key table. */

import { SHAPING } from "./keys.js";

const TOKEN = "rotoclear-token";

/** Milliseconds without a connection after which controls are of no use: a blink is none. */
const PATIENCE = 1500;

export class Session {
  /** The key table, as GET /api/keys describes it. */
  table = {};

  /** There is a connection, or was a moment ago. */
  online = false;

  #listeners = new Set();
  #tableListeners = new Set();
  #patience = null;
  #asking = 0;
  #later = null;

  constructor(client) {
    this.client = client;
    client.on("status", ({ status }) => this.#connection(status));
    client.on("auth", (identity) => {
      keep(identity.token);
      this.#tell();
      if (client.connected) this.#ask();
    });
    client.on("change", (changes) => {
      if (SHAPING.some((key) => key in changes) && client.connected) this.#askSoon();
      this.#tell();
    });
  }

  /** Be told when anything has changed that decides what is shown and what may be used. */
  on(listener) {
    this.#listeners.add(listener);
    listener();
  }

  /** Be told when the key table has. */
  onTable(listener) {
    this.#tableListeners.add(listener);
  }

  /** What `obstacle()` wants to know. */
  get situation() {
    const { authenticated, role, state } = this.client;
    return { online: this.online, authenticated, role, state };
  }

  #tell() {
    for (const listener of this.#listeners) listener();
  }

  #connection(status) {
    clearTimeout(this.#patience);
    if (status === "open") {
      this.online = true;
      this.#ask();
    } else if (this.online) {
      this.#patience = setTimeout(() => {
        this.online = false;
        this.#tell();
      }, PATIENCE);
    }
    this.#tell();
  }

  #askSoon() {
    clearTimeout(this.#later);
    this.#later = setTimeout(() => this.#ask(), 80);
  }

  /** The table; an answer that a later question has overtaken counts for nothing. */
  async #ask() {
    this.#asking += 1;
    const number = this.#asking;
    let table = {};
    try {
      table = await this.client.request("GET", "/api/keys");
    } catch (error) {
      if (error.status !== 401 && error.status !== 403) {
        if (number === this.#asking && this.client.connected) {
          this.#later = setTimeout(() => this.#ask(), 2000);
        }
        return;
      }
    }
    if (number !== this.#asking) return;
    this.table = table;
    for (const listener of this.#tableListeners) listener();
    this.#tell();
  }
}

/** The token of the last login in this tab, or "". */
export function kept() {
  try {
    return sessionStorage.getItem(TOKEN) ?? "";
  } catch {
    return "";
  }
}

function keep(token) {
  try {
    if (token) sessionStorage.setItem(TOKEN, token);
    else sessionStorage.removeItem(TOKEN);
  } catch {
    // Then one logs in again after a reload.
  }
}
