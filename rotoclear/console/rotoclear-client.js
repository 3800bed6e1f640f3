/**
 * The JavaScript client of rotoclear: every setting of the camera server is a key that can be
 * read, written and watched over one WebSocket.
 *
 *     import { RotoclearClient } from "/rotoclear-client.js";
 *
 *     const client = new RotoclearClient("ws://192.168.1.100/api/v1");
 *     client.watch("brightness", (value) => console.log("brightness is", value));
 *     await client.connect("operator", "password");
 *     await client.set({ brightness: 75 });
 *
 * It runs in browsers and in Node 18 or newer (before Node 22 with `{ WebSocket }` of the package
 * "ws"). It has no dependencies and takes no build step. Types are in rotoclear-client.d.ts.
 *
 * What it does about a network that fails:
 *
 * - It connects again by itself, after a time that doubles from `minDelay` to `maxDelay` and is
 *   scattered, so that not all clients of a server return in the same instant.
 * - It logs in again with the token that the server gave it, and asks for the whole state anew.
 *   The password is not kept.
 * - Settings that are made meanwhile wait, the newest of each key only, `queueLimit` keys at most
 *   and no longer than `queueAge`. Steps (`record`, `snap`) never wait: a recording that starts a
 *   minute late is not the one that was asked for.
 * - What was sent and not answered when the connection broke fails as "Not connected": only its
 *   sender knows whether it should be repeated.
 */

/** Keys that are steps and no settings: each counts, and none may come late. */
const STEPS = new Set(["record", "snap"]);

const RESERVED = new Set([
  "id", "info", "error", "key", "message", "authenticated", "permissions",
]);

const OPEN = 1; // WebSocket.OPEN, also where there is no global WebSocket

const DEFAULTS = {
  minDelay: 1000,
  maxDelay: 30000,
  connectTimeout: 10000,
  answerTimeout: 15000,
  heartbeat: 15000,
  throttle: 60,
  queueLimit: 64,
  queueAge: 60000,
  token: "",
  WebSocket: undefined,
  random: Math.random,
};

/**
 * A request was refused, or could not be made.
 *
 * `error` is a word for programs ("Permission denied", "Invalid value", "Unknown key", "Not
 * available", "Device error", "Invalid message", "Invalid credentials", "Too many attempts"; of
 * this client: "Not connected", "No answer", "Queue full"); `message` is for people.
 */
export class RotoclearError extends Error {
  constructor(error, message = "", key = "", more = {}) {
    super(message || error);
    this.name = "RotoclearError";
    this.error = error;
    this.key = key;
    this.retryAfter = more.retryAfter ?? 0;
    /** Every refusal, if several keys were refused at once; this one is the first. */
    this.refusals = more.refusals ?? [];
    /** The keys of the same request that were applied nevertheless. */
    this.applied = more.applied ?? {};
  }
}

export class RotoclearClient {
  #url;
  #options;
  #socket = null;
  #wanted = false;
  #delay;
  #timers = new Map();
  #listeners = new Map();
  #state = {};
  #asked = new Map(); // id: what waits for an answer
  #number = 0;
  #credentials = null;
  #ready = null; // what connect() has promised
  #queue = new Map(); // key: {value, until, promises} while there is no connection
  #adjusting = new Map(); // key: value, the newest that is to be sent
  #adjustingSent = new Map(); // key: value, sent and not answered
  #identity = anonymous();
  #status = "closed";
  #lastSign = 0;
  #renewing = false;
  #leaving = false;

  /**
   * @param url ws://HOST/api/v1 or wss://...; in a browser it may be left out: the page's server.
   * @param options see rotoclear-client.d.ts
   */
  constructor(url = undefined, options = {}) {
    this.#url = String(url ?? ownUrl());
    this.#options = { ...DEFAULTS, ...options };
    this.#delay = this.#options.minDelay;
    if (this.#options.token) this.#credentials = { token: this.#options.token };
  }

  // -- What is so ------------------------------------------------------------------------

  /** The address. */
  get url() {
    return this.#url;
  }

  /** The values that the server has told, by key. */
  get state() {
    return this.#state;
  }

  /** "closed", "connecting", "waiting" (to connect again) or "open". */
  get status() {
    return this.#status;
  }

  /** Connected, logged in if there is a login, and the state is known. */
  get connected() {
    return this.#status === "open";
  }

  get authenticated() {
    return this.#identity.authenticated;
  }

  /** Sorted names, such as "Device_rw". */
  get permissions() {
    return this.#identity.permissions;
  }

  get username() {
    return this.#identity.username;
  }

  get role() {
    return this.#identity.role;
  }

  /** The token of the login, or "". Keep it in sessionStorage at most; never put it in a URL. */
  get token() {
    return this.#identity.token;
  }

  /** Whether one holds any of these permissions. */
  may(...permissions) {
    return permissions.some((name) => this.permissions.includes(name));
  }

  /** Whether a value of this key is on its way or waits to be. */
  pending(key) {
    if (this.#adjusting.has(key) || this.#adjustingSent.has(key) || this.#queue.has(key)) {
      return true;
    }
    for (const { keys } of this.#asked.values()) if (keys?.has(key)) return true;
    return false;
  }

  // -- Listening -------------------------------------------------------------------------

  /**
   * Be told of an event: "status", "auth", "change", "refused", "settled" or "error".
   *
   * @return a function that ends it.
   */
  on(event, listener) {
    if (!this.#listeners.has(event)) this.#listeners.set(event, new Set());
    this.#listeners.get(event).add(listener);
    return () => this.#listeners.get(event).delete(listener);
  }

  /** Be told of a key's value: now, if it is known, and whenever it changes. */
  watch(key, listener) {
    if (Object.hasOwn(this.#state, key)) listener(this.#state[key], key);
    return this.on("change", (changes) => {
      if (Object.hasOwn(changes, key)) listener(changes[key], key);
    });
  }

  #emit(event, ...details) {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        listener(...details);
      } catch (error) {
        // One listener's fault must not keep the others from being told.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  // -- The connection --------------------------------------------------------------------

  /**
   * Connect, and stay connected until `close()`.
   *
   * @return resolves when the state is known; rejects if the login is refused (the connection
   *   then stays, and one sees what the anonymous may see). A server that is not there is tried
   *   again and again, and is no rejection.
   */
  connect(username = undefined, password = undefined) {
    if (username !== undefined) this.#credentials = { username, password: password ?? "" };
    if (!this.#ready) this.#ready = defer();
    const { promise } = this.#ready;
    if (this.#status === "open") this.#begin();
    else if (!this.#wanted) {
      this.#wanted = true;
      this.#open();
    }
    return promise;
  }

  /** Try now, if it waits to try again. */
  retry() {
    if (this.#status === "waiting") {
      this.#stop("again");
      this.#open();
    }
  }

  /** End the connection. What waits fails; `connect()` begins anew, with the token if there is one. */
  close() {
    this.#wanted = false;
    this.#stop("again");
    const socket = this.#socket;
    this.#lost("The client was closed");
    socket?.close(1000);
    this.#dropQueue("The client was closed");
    this.#setStatus("closed");
    this.#ready?.reject(new RotoclearError("Not connected", "The client was closed"));
    this.#ready = null;
  }

  #open() {
    const Socket = this.#options.WebSocket ?? globalThis.WebSocket;
    if (!Socket) {
      this.#wanted = false;
      const text = 'There is no WebSocket here: pass { WebSocket } of the package "ws"';
      this.#ready?.reject(new RotoclearError("Not connected", text));
      this.#ready = null;
      return;
    }
    this.#setStatus("connecting");
    let socket;
    try {
      socket = new Socket(this.#url);
    } catch (error) {
      this.#wanted = false;
      this.#setStatus("closed");
      this.#ready?.reject(error);
      this.#ready = null;
      return;
    }
    this.#socket = socket;
    this.#start("connect", this.#options.connectTimeout, () => this.#abandon(socket));
    socket.onopen = () => {
      if (socket !== this.#socket) return;
      this.#stop("connect");
      this.#lastSign = performance.now();
      this.#begin();
      this.#beat();
    };
    socket.onmessage = (event) => {
      if (socket === this.#socket && typeof event.data === "string") this.#take(event.data);
    };
    socket.onerror = () => {}; // onclose follows, and says the same
    socket.onclose = (event) => {
      if (socket === this.#socket) this.#closed(event.code, String(event.reason ?? ""));
    };
  }

  /** Give up a connection that shows no sign of life; its close may take for ever. */
  #abandon(socket) {
    if (socket !== this.#socket) return;
    socket.onclose = null;
    try {
      socket.close();
    } catch {
      // It was not even open.
    }
    this.#closed(1006, "No sign of life");
  }

  #closed(code, reason) {
    this.#lost("The connection was lost");
    if (!this.#wanted) return;
    // Half of it is fixed and half by chance: all clients lose a server in the same instant.
    const delay = this.#delay * (0.5 + 0.5 * this.#options.random());
    this.#delay = Math.min(this.#delay * 2, this.#options.maxDelay);
    this.#setStatus("waiting", { delay, code, reason });
    this.#start("again", delay, () => this.#open());
  }

  /** Whatever waited for the connection that is gone. */
  #lost(text) {
    this.#socket = null;
    for (const name of ["connect", "beat", "throttle"]) this.#stop(name);
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const request of asked) request.fail(new RotoclearError("Not connected", text));
    this.#adjustingSent.clear();
    // What a hand was moving is a setting like any other: it waits with them.
    for (const [key, value] of this.#adjusting) this.#enqueue(key, value, null);
    this.#adjusting.clear();
  }

  #setStatus(status, more = {}) {
    if (status === this.#status && status !== "waiting") return;
    this.#status = status;
    this.#emit("status", { status, ...more });
  }

  /** Log in if there is something to do it with, then ask for everything. */
  async #begin() {
    const socket = this.#socket;
    const ready = this.#ready;
    this.#ready = null;
    let refused = null;
    try {
      if (this.#credentials) {
        try {
          await this.#login(this.#credentials);
        } catch (error) {
          if (error.error === "Not connected" || error.error === "No answer") throw error;
          refused = error;
          this.#credentials = null;
          this.#setIdentity(anonymous(), error);
        }
      }
      await this.#refresh();
      this.#delay = this.#options.minDelay;
      this.#setStatus("open");
      this.#flushQueue();
    } catch (error) {
      if (socket === this.#socket && this.#socket) this.#abandon(socket);
      // connect() goes on waiting.
      if (ready) {
        if (this.#ready) this.#ready.promise.then(ready.resolve, ready.reject);
        else this.#ready = ready;
      }
      return;
    }
    if (!ready) return;
    if (refused) ready.reject(refused);
    else ready.resolve(this);
  }

  async #refresh() {
    let values = {};
    try {
      values = await this.#ask({ get: "*" });
    } catch (error) {
      if (error.error !== "Permission denied") throw error;
    }
    // What may not be read any more is not known any more.
    const gone = Object.keys(this.#state).filter((key) => !Object.hasOwn(values, key));
    this.#state = {};
    const changes = { ...values };
    for (const key of gone) changes[key] = undefined;
    this.#state = values;
    this.#emit("change", changes);
  }

  /** A connection may be dead without a word: ask for nothing, now and then, and be answered. */
  #beat() {
    const { heartbeat, answerTimeout } = this.#options;
    if (!heartbeat) return;
    this.#start("beat", heartbeat, () => {
      const socket = this.#socket;
      if (socket && performance.now() - this.#lastSign >= heartbeat) {
        this.#ask({ get: [] }, Math.min(answerTimeout, heartbeat)).catch((error) => {
          if (error.error === "No answer") this.#abandon(socket);
        });
      }
      this.#beat();
    });
  }

  // -- Who it is -------------------------------------------------------------------------

  /**
   * Log in.
   *
   * @return resolves with {authenticated, permissions, username, role, token, expires}; rejects
   *   with "Invalid credentials", or "Too many attempts" and `retryAfter` seconds. A login that
   *   is refused leaves things as they are.
   */
  async login(username, password) {
    return this.#enter({ username, password });
  }

  /** Log in with a token of an earlier login. */
  async resume(token) {
    return this.#enter({ token });
  }

  async #enter(credentials) {
    if (!this.connected) throw notConnected();
    const identity = await this.#login(credentials);
    await this.#refresh();
    return identity;
  }

  async #login(credentials) {
    const answer = await this.#ask(credentials);
    const identity = {
      authenticated: true,
      permissions: answer.permissions,
      username: answer.username,
      role: answer.role,
      token: answer.token,
      expires: answer.expires,
    };
    this.#credentials = { token: answer.token }; // the password is not kept
    this.#setIdentity(identity);
    return identity;
  }

  /** End the token, everywhere it is used. What is read from now on is what the anonymous may. */
  async logout() {
    if (!this.authenticated) return;
    this.#credentials = null;
    this.#leaving = true;
    try {
      await this.request("POST", "/api/logout").catch((error) => {
        if (error.status !== 401) throw error; // it had ended already
      });
    } finally {
      this.#leaving = false;
    }
    if (!this.authenticated) return; // the server has told already
    this.#setIdentity(anonymous());
    if (this.connected) await this.#refresh();
  }

  /**
   * Change one's own password. It ends all of one's logins; this one is made anew.
   *
   * @return rejects with "Invalid credentials" if `old` is wrong, "Invalid value" if `fresh` will
   *   not do.
   */
  async changePassword(old, fresh) {
    const { username } = this;
    this.#renewing = true;
    try {
      await this.request("POST", "/api/password", { old, new: fresh });
      await this.login(username, fresh);
    } finally {
      this.#renewing = false;
    }
  }

  #setIdentity(identity, error = null) {
    const before = this.#identity;
    this.#identity = identity;
    if (before !== identity) this.#emit("auth", { ...identity, error });
  }

  /** The server says that the rights of this connection have changed. */
  #rightsChanged(answer) {
    const lost = !answer.authenticated && this.authenticated;
    if (lost && this.#renewing) return; // a new login is on its way
    if (lost) this.#credentials = null;
    const identity = answer.authenticated ? this.#identity : anonymous();
    const error = lost && !this.#leaving ? new RotoclearError("Logged out", "The login has ended") : null;
    this.#setIdentity({ ...identity, permissions: answer.permissions }, error);
    if (this.connected) this.#refresh().catch(() => {});
  }

  // -- Reading and writing ---------------------------------------------------------------

  /** Ask for the values of these keys; rejects for the first that is unknown or not readable. */
  async get(...keys) {
    if (!this.connected) throw notConnected();
    return this.#ask({ get: keys.flat() });
  }

  /**
   * Set keys.
   *
   * @return resolves with the values as they were applied, when the hardware has taken them;
   *   rejects with a RotoclearError if any key was refused (`refusals` has all, `applied` the
   *   rest). Who does not wait for it is told of refusals by the event "refused".
   */
  set(changes) {
    if (this.connected) return quiet(this.#update({ ...changes }));
    const keys = Object.keys(changes);
    const step = keys.find((key) => STEPS.has(key));
    if (step || !this.#wanted) {
      const error = notConnected(step);
      this.#emit("refused", error);
      return quiet(Promise.reject(error));
    }
    const answers = keys.map((key) => {
      const waiting = defer();
      this.#enqueue(key, changes[key], waiting);
      return waiting.promise;
    });
    return quiet(Promise.all(answers).then((values) => Object.assign({}, ...values)));
  }

  /**
   * Send changes, and tell everybody what was refused and what is settled.
   *
   * @param again what the connection breaks on the way waits for the next one, as a slider's
   *   values may: where the hand left it is what is wanted, and it does no harm twice
   */
  async #update(changes, { again = false } = {}) {
    try {
      return await this.#ask(changes);
    } catch (error) {
      if (again && error.error === "Not connected" && this.#wanted) {
        for (const [key, value] of Object.entries(changes)) {
          if (!this.#queue.has(key)) this.#enqueue(key, value, null);
        }
        throw error;
      }
      for (const refusal of error.refusals.length ? error.refusals : [error]) {
        this.#emit("refused", refusal);
      }
      throw error;
    } finally {
      for (const key of Object.keys(changes)) {
        this.#adjustingSent.delete(key);
        if (!this.pending(key)) this.#emit("settled", key);
      }
    }
  }

  /**
   * Set a key again and again, as a slider does: at most once in `throttle` milliseconds and
   * once answered, the newest value of each key, related keys in one message.
   *
   * A refusal is told by the event "refused", the end of it by "settled".
   */
  adjust(key, value) {
    if (STEPS.has(key)) throw new TypeError(`${key} is a step: set() it`);
    if (!this.connected) {
      if (this.#wanted) this.#enqueue(key, value, null);
      else this.#emit("refused", notConnected(key));
      return;
    }
    this.#adjusting.set(key, value);
    if (!this.#timers.has("throttle")) this.#adjust();
  }

  #adjust() {
    if (!this.#adjusting.size || this.#adjustingSent.size) return;
    const changes = Object.fromEntries(this.#adjusting);
    this.#adjustingSent = this.#adjusting;
    this.#adjusting = new Map();
    this.#start("throttle", this.#options.throttle, () => this.#adjust());
    this.#update(changes, { again: true })
      .catch(() => {})
      .then(() => {
        if (this.connected && !this.#timers.has("throttle")) this.#adjust();
      });
  }

  // -- While there is no connection ------------------------------------------------------

  #enqueue(key, value, waiting) {
    if (!this.#queue.has(key) && this.#queue.size >= this.#options.queueLimit) {
      const text = `More than ${this.#options.queueLimit} settings wait for a connection`;
      const error = new RotoclearError("Queue full", text, key);
      this.#emit("refused", error);
      waiting?.reject(error);
      return;
    }
    const entry = this.#queue.get(key) ?? { promises: [] };
    entry.value = value;
    entry.until = performance.now() + this.#options.queueAge;
    if (waiting) entry.promises.push(waiting);
    this.#queue.delete(key);
    this.#queue.set(key, entry);
  }

  #flushQueue() {
    const queue = [...this.#queue];
    this.#queue.clear();
    const now = performance.now();
    const fresh = queue.filter(([, entry]) => entry.until > now);
    for (const [key, entry] of queue) {
      if (entry.until <= now) this.#fail(key, entry, notConnected(key, "It waited for too long"));
    }
    if (!fresh.length) return;
    this.#update(Object.fromEntries(fresh.map(([key, { value }]) => [key, value]))).then(
      (applied) => {
        for (const [key, entry] of fresh) {
          for (const { resolve } of entry.promises) resolve({ [key]: applied[key] });
        }
      },
      (error) => {
        for (const [key, entry] of fresh) {
          const refusal = error.refusals.find((one) => one.key === key) ?? error;
          for (const { resolve, reject } of entry.promises) {
            if (Object.hasOwn(error.applied, key)) resolve({ [key]: error.applied[key] });
            else reject(refusal);
          }
        }
      },
    );
  }

  #dropQueue(text) {
    const queue = [...this.#queue];
    this.#queue.clear();
    for (const [key, entry] of queue) this.#fail(key, entry, notConnected(key, text));
  }

  #fail(key, entry, error) {
    this.#emit("refused", error);
    for (const { reject } of entry.promises) reject(error);
    this.#emit("settled", key);
  }

  // -- Messages --------------------------------------------------------------------------

  /** Send a message, and wait for all that is answered to it. */
  #ask(message, limit = this.#options.answerTimeout) {
    if (this.#socket?.readyState !== OPEN) return Promise.reject(notConnected());
    const id = ++this.#number;
    const waiting = defer();
    const login = "token" in message || "password" in message;
    const query = "get" in message;
    const keys = query || login ? null : new Set(Object.keys(message));
    const missing = query
      ? new Set(message.get === "*" ? [] : message.get)
      : new Set(keys ?? []);
    const timer = setTimeout(() => {
      request.fail(new RotoclearError("No answer", "The server has not answered in time"));
    }, limit);
    const request = {
      login,
      keys,
      missing,
      values: {},
      refusals: [],
      answered: !query && !login,
      fail: (error) => {
        clearTimeout(timer);
        this.#asked.delete(id);
        waiting.reject(error);
      },
      done: () => {
        clearTimeout(timer);
        this.#asked.delete(id);
        const [first] = request.refusals;
        if (!first) return waiting.resolve(request.values);
        const more = { refusals: request.refusals, applied: request.values };
        waiting.reject(new RotoclearError(first.error, first.message, first.key, more));
      },
    };
    this.#asked.set(id, request);
    this.#socket.send(JSON.stringify({ ...message, id }));
    return waiting.promise;
  }

  #take(text) {
    this.#lastSign = performance.now();
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      this.#emit("error", new RotoclearError("Invalid message", "The server sent no JSON"));
      return;
    }
    const request = this.#asked.get(message.id);
    if ("authenticated" in message) {
      if (request) this.#loggedIn(request, message);
      else this.#rightsChanged(message);
    } else if ("error" in message) {
      this.#refused(request, message);
    } else {
      const values = {};
      for (const [key, value] of Object.entries(message)) {
        if (!RESERVED.has(key)) values[key] = value;
      }
      this.#told(values);
      if (!request) return;
      Object.assign(request.values, values);
      request.answered = true;
      for (const key of Object.keys(values)) request.missing.delete(key);
      if (!request.missing.size) request.done();
    }
  }

  #loggedIn(request, message) {
    if (message.authenticated) {
      request.values = message;
      request.done();
    } else {
      const retryAfter = message["retry-after"];
      request.fail(new RotoclearError(message.error, message.message, "", { retryAfter }));
    }
  }

  #refused(request, message) {
    const error = new RotoclearError(message.error, message.message, message.key);
    if (!request) {
      this.#emit("error", error);
    } else if (message.key === undefined) {
      request.fail(error);
    } else {
      request.refusals.push(error);
      for (const key of request.missing) {
        // A long name comes back cut off.
        if (key === message.key || (message.key.length === 64 && key.startsWith(message.key))) {
          request.missing.delete(key);
        }
      }
      if (request.answered && !request.missing.size) request.done();
    }
  }

  /** Values have come: confirmed, asked for, or changed by somebody. */
  #told(values) {
    const changes = {};
    for (const [key, value] of Object.entries(values)) {
      if (this.#state[key] !== value) changes[key] = value;
    }
    if (!Object.keys(changes).length) return;
    this.#state = { ...this.#state, ...changes };
    this.#emit("change", changes);
  }

  // -- The HTTP side ---------------------------------------------------------------------

  /**
   * A request of the HTTP API, with the token if there is one.
   *
   * @param path such as "/api/recordings?limit=10"
   * @return resolves with the decoded answer, undefined if there is none; rejects with a
   *   RotoclearError that has a `status`.
   */
  async request(method, path, body = undefined, { signal } = {}) {
    const answer = await this.fetch(path, {
      method,
      signal,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return answer.status === 204 ? undefined : answer.json();
  }

  /** `fetch()` with the token; what is no success rejects with a RotoclearError. */
  async fetch(path, init = {}) {
    const headers = new Headers(init.headers);
    if (this.token) headers.set("Authorization", `Bearer ${this.token}`);
    let answer;
    try {
      answer = await fetch(this.address(path), { ...init, headers, credentials: "omit" });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw notConnected();
    }
    if (answer.ok) return answer;
    const said = await answer.json().catch(() => ({}));
    const retryAfter = Number(answer.headers.get("Retry-After") ?? 0);
    const error = new RotoclearError(
      said.error ?? `HTTP ${answer.status}`, said.message ?? answer.statusText, "", { retryAfter },
    );
    error.status = answer.status;
    throw error;
  }

  /** The address of a path of the HTTP API. */
  address(path) {
    const base = new URL(this.#url);
    base.protocol = base.protocol.replace("ws", "http");
    base.pathname = base.pathname.replace(/\/api\/v1$/, "");
    return `${base.origin}${base.pathname.replace(/\/$/, "")}${path}`;
  }

  /**
   * An address for an element (<img>, <video>, a download) that cannot send a header.
   *
   * Its ticket opens this path only, for a minute.
   */
  async ticket(path) {
    const [plain, query] = path.split("?");
    const { ticket } = await this.request("POST", "/api/tickets", { path: plain });
    return `${this.address(plain)}?${query ? `${query}&` : ""}ticket=${encodeURIComponent(ticket)}`;
  }

  // -- In the words of the camera --------------------------------------------------------

  /** Switch the lamp of camera 1 or 2. */
  setLight(camera, on) {
    return this.set({ [camera === 2 ? "cam2-light" : "cam1-light"]: on });
  }

  /** 0 to 100; `adjust("brightness", value)` for a slider. */
  setBrightness(value) {
    return this.set({ brightness: value });
  }

  /** Such as "1920x1080". */
  setResolution(resolution) {
    return this.set({ resolution });
  }

  startRecording() {
    return this.set({ record: true });
  }

  pauseRecording() {
    return this.set({ record: "pause" });
  }

  resumeRecording() {
    return this.set({ record: "pause_release" });
  }

  stopRecording() {
    return this.set({ record: false });
  }

  /** Resolves when the picture is stored; its id is then in `state["last-snapshot"]`. */
  takeSnapshot() {
    return this.set({ snap: true });
  }

  // -- Timers ----------------------------------------------------------------------------

  #start(name, milliseconds, call) {
    this.#stop(name);
    this.#timers.set(
      name,
      setTimeout(() => {
        this.#timers.delete(name);
        call();
      }, milliseconds),
    );
  }

  #stop(name) {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}

function anonymous() {
  return { authenticated: false, permissions: [], username: "", role: "", token: "", expires: "" };
}

function notConnected(key = "", message = "There is no connection to the server") {
  return new RotoclearError("Not connected", message, key);
}

function defer() {
  const deferred = {};
  const promise = new Promise((resolve, reject) => {
    deferred.resolve = resolve;
    deferred.reject = reject;
  });
  deferred.promise = quiet(promise);
  return deferred;
}

/** Nobody need wait for it: a rejection that nobody handles would end a Node process. */
function quiet(promise) {
  promise.catch(() => {});
  return promise;
}

function ownUrl() {
  if (!globalThis.location) throw new TypeError("The address of the server is needed");
  const url = new URL("api/v1", globalThis.document?.baseURI ?? globalThis.location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.hash = "";
  return url;
}
