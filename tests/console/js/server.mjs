// A server that says what a test lets it say.

import { settle } from "./clock.mjs";

export class Server {
  /** Every connection that was made. */
  sockets = [];

  /** Whether it is there. */
  up = true;

  /** What it answers to a login: by password or token. */
  logins = {
    secret: { username: "anna", role: "operator", permissions: ["Device_r", "Device_rw"], token: "t1" },
    t1: { username: "anna", role: "operator", permissions: ["Device_r", "Device_rw"], token: "t1" },
  };

  state = { brightness: 50, contrast: 50, record: false, snap: false };

  /** Answer updates by itself; else a test does. */
  confirms = true;

  constructor() {
    const server = this;
    this.WebSocket = class {
      readyState = 0;
      sent = [];
      constructor(url) {
        this.url = url;
        server.sockets.push(this);
        queueMicrotask(() => {
          if (this.readyState !== 0) return;
          if (server.silent) return;
          if (server.up) {
            this.readyState = 1;
            this.onopen?.({});
          } else this.end(1006);
        });
      }
      send(text) {
        const message = JSON.parse(text);
        this.sent.push(message);
        server.answer(this, message);
      }
      close() {
        this.readyState = 3;
      }
      end(code = 1006) {
        if (this.readyState === 3) return;
        this.readyState = 3;
        this.onclose?.({ code, reason: "" });
      }
      say(message) {
        this.onmessage?.({ data: JSON.stringify(message) });
      }
    };
  }

  get socket() {
    return this.sockets.at(-1);
  }

  /** The updates that the present connection has sent. */
  get updates() {
    return this.socket.sent
      .filter((message) => !("get" in message || "token" in message || "password" in message))
      .map(({ id, ...changes }) => changes);
  }

  answer(socket, message) {
    queueMicrotask(() => {
      if (socket.readyState !== 1 || this.mute) return;
      const { id } = message;
      const secret = message.token ?? message.password;
      if (secret !== undefined) {
        const login = this.logins[secret];
        if (login?.error) socket.say({ id, authenticated: false, ...login });
        else if (login) socket.say({ id, authenticated: true, expires: "", ...login });
        else socket.say({ id, authenticated: false, error: "Invalid credentials" });
      } else if ("get" in message) {
        const keys = message.get === "*" ? Object.keys(this.state) : message.get;
        const known = keys.filter((key) => key in this.state);
        socket.say({ id, ...Object.fromEntries(known.map((key) => [key, this.state[key]])) });
        for (const key of keys) {
          if (!(key in this.state)) socket.say({ id, error: "Unknown key", key, message: "no" });
        }
      } else if (this.confirms) this.confirm(socket, message);
    });
  }

  /** Confirm an update, but for values above 100. */
  confirm(socket, { id, ...changes }) {
    const good = Object.entries(changes).filter(([, value]) => !(value > 100));
    Object.assign(this.state, Object.fromEntries(good));
    if (good.length) {
      socket.say({ id, ...Object.fromEntries(good), info: good.map(([key]) => key) });
    }
    for (const [key, value] of Object.entries(changes)) {
      if (value > 100) {
        const text = "Value must be between 0 and 100";
        socket.say({ id, error: "Invalid value", key, message: text });
      }
    }
  }

  /** Fall over. */
  async crash() {
    this.up = false;
    this.socket.end();
    await settle();
  }
}
