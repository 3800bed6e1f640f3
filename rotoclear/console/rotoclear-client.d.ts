/** Types of rotoclear-client.js. */

/** What a key may hold. */
export type Value = boolean | number | string;

export type Record = boolean | "pause";

/** The keys of every server; drivers may add `vendor-...` ones. */
export interface State {
  "cam1-light"?: boolean;
  "cam2-light"?: boolean;
  readonly "cam1-exists"?: boolean;
  readonly "cam2-exists"?: boolean;
  "main-camera"?: 1 | 2;
  "cam1-sensor"?: number;
  "cam2-sensor"?: number;
  resolution?: string;
  fps?: number;
  "pip-mode"?:
    | "off" | "top-left" | "top-right" | "bottom-left" | "bottom-right" | "side-by-side";
  brightness?: number;
  contrast?: number;
  sharpness?: number;
  saturation?: number;
  gain?: number;
  "red-gain"?: number;
  "blue-gain"?: number;
  "auto-exposure"?: boolean | string;
  "auto-white-balance"?: boolean | string;
  "noise-supression"?: boolean;
  record?: Record;
  snap?: boolean;
  "jpeg-quality"?: number;
  readonly "last-recording"?: string;
  readonly "last-snapshot"?: string;
  readonly "storage-exists"?: boolean;
  readonly "storage-free"?: number;
  readonly "storage-name"?: string;
  [vendor: `vendor-${string}`]: Value | undefined;
}

export type Key = keyof State;

/** What may be sent: `record` takes some more words than it ever holds. */
export type Changes = Partial<Omit<State, "record">> & {
  record?: Record | "on" | "off" | "pause_release";
};

export interface Options {
  /** Milliseconds before the first new attempt; 1000. */
  minDelay?: number;
  /** The most milliseconds between two attempts; 30000. */
  maxDelay?: number;
  /** Milliseconds that a connection may take to open; 10000. */
  connectTimeout?: number;
  /** Milliseconds that an answer may take; 15000. */
  answerTimeout?: number;
  /** Milliseconds of silence after which the server is asked for a sign of life; 15000, 0: never. */
  heartbeat?: number;
  /** The least milliseconds between two messages of `adjust()`; 60. */
  throttle?: number;
  /** How many keys may wait for a connection; 64. */
  queueLimit?: number;
  /** Milliseconds for which a setting may wait for a connection; 60000. */
  queueAge?: number;
  /** The token of an earlier login. */
  token?: string;
  /** The class, where there is no global one: Node before 22, with the package "ws". */
  WebSocket?: unknown;
  /** 0 to 1, scatters the attempts; Math.random. */
  random?: () => number;
}

export interface Identity {
  authenticated: boolean;
  permissions: string[];
  username: string;
  role: "" | "administrator" | "operator" | "viewer";
  token: string;
  /** When the token expires if nobody uses it until then; ISO 8601. */
  expires: string;
}

export type Status = "closed" | "connecting" | "waiting" | "open";

export interface Events {
  /** The connection; while it waits, in how many milliseconds the next attempt is made. */
  status: (event: { status: Status; delay?: number; code?: number; reason?: string }) => void;
  /** Who one is, or what one may do, has changed; `error` says why a login was lost. */
  auth: (identity: Identity & { error: RotoclearError | null }) => void;
  /** Values that have changed; `undefined`: it may not be read any more. */
  change: (changes: State) => void;
  /** Something was not done; also told by the promise, if there is one. */
  refused: (error: RotoclearError) => void;
  /** All that was sent of this key is answered: `state` has what counts. */
  settled: (key: Key) => void;
  /** The server complains about something that nobody waits for. */
  error: (error: RotoclearError) => void;
}

export class RotoclearError extends Error {
  readonly error: string;
  readonly key: string;
  /** Seconds after which to try again, 0 if there is nothing to wait for. */
  readonly retryAfter: number;
  readonly refusals: RotoclearError[];
  readonly applied: State;
  /** Of requests over HTTP. */
  readonly status?: number;
}

export class RotoclearClient {
  constructor(url?: string | URL, options?: Options);

  readonly url: string;
  readonly state: Readonly<State>;
  readonly status: Status;
  readonly connected: boolean;
  readonly authenticated: boolean;
  readonly permissions: string[];
  readonly username: string;
  readonly role: Identity["role"];
  readonly token: string;

  may(...permissions: string[]): boolean;
  pending(key: Key): boolean;

  on<E extends keyof Events>(event: E, listener: Events[E]): () => void;
  watch<K extends Key>(key: K, listener: (value: State[K], key: K) => void): () => void;

  connect(username?: string, password?: string): Promise<this>;
  retry(): void;
  close(): void;

  login(username: string, password: string): Promise<Identity>;
  resume(token: string): Promise<Identity>;
  logout(): Promise<void>;
  changePassword(old: string, fresh: string): Promise<void>;

  get(...keys: (Key | Key[])[]): Promise<State>;
  set(changes: Changes): Promise<State>;
  adjust<K extends Exclude<Key, "record" | "snap">>(key: K, value: State[K]): void;

  request(method: string, path: string, body?: object, init?: { signal?: AbortSignal }): Promise<any>;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  address(path: string): string;
  ticket(path: string): Promise<string>;

  setLight(camera: 1 | 2, on: boolean): Promise<State>;
  setBrightness(value: number): Promise<State>;
  setResolution(resolution: string): Promise<State>;
  startRecording(): Promise<State>;
  pauseRecording(): Promise<State>;
  resumeRecording(): Promise<State>;
  stopRecording(): Promise<State>;
  takeSnapshot(): Promise<State>;
}
