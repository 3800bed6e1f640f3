/** Below the picture: recording, snapshot, the main camera, the lamps. */

import { reason } from "./controls.js";
import { $, h, icon } from "./dom.js";
import { clock } from "./format.js";
import { onLanguage, t } from "./i18n.js";
import { obstacle } from "./keys.js";
import { notify } from "./notices.js";
import { RunningTime } from "./runtime.js";

export class Dock {
  #session;
  #client;
  #time = new RunningTime();
  #watching = false;
  #busy = false;
  #cameras = [];
  #show;

  /** @param show opens a stored picture of an id */
  constructor(session, show) {
    this.#session = session;
    this.#client = session.client;
    this.#show = show;
    $("record-start").addEventListener("click", () => this.#step(true));
    $("record-pause").addEventListener("click", () => this.pause());
    $("record-stop").addEventListener("click", () => this.#step(false));
    $("snap").addEventListener("click", () => this.snap());
    for (const camera of [1, 2]) {
      $(`lamp-${camera}`).addEventListener("click", () => this.lamp(camera));
      this.#addCamera(camera);
    }
    session.client.watch("record", (state) => this.#recording(state));
    session.client.on("settled", (key) => key === "main-camera" && this.#update());
    session.on(() => this.#update());
    onLanguage(() => this.#update());
    setInterval(() => this.#tick(), 250);
  }

  /** Start, or stop. */
  toggle() {
    this.#step(this.#client.state.record === false);
  }

  /** Pause, or go on. */
  pause() {
    const { record } = this.#client.state;
    if (record) this.#step(record === "pause" ? "pause_release" : "pause");
  }

  async snap() {
    if ($("snap").disabled) return;
    $("snap").disabled = true;
    try {
      const stored = this.#stored();
      await this.#client.set({ snap: true });
      const id = await stored;
      const action = id && this.#client.may("Media_r") ? { label: t("snap.show"), run: () => this.#show(id) } : null;
      notify("info", t("snap.done"), "", action);
    } catch {
      // It has been told.
    } finally {
      this.#update();
    }
  }

  /** The id of the next snapshot, told a moment after it is confirmed; "" if it is not. */
  #stored() {
    return new Promise((resolve) => {
      const before = this.#client.state["last-snapshot"];
      const end = this.#client.watch("last-snapshot", (id) => {
        if (id && id !== before) done(id);
      });
      const timer = setTimeout(() => done(""), 3000);
      const done = (id) => {
        clearTimeout(timer);
        end();
        resolve(id);
      };
    });
  }

  lamp(camera) {
    const key = `cam${camera}-light`;
    if (!$(`lamp-${camera}`).disabled) this.#client.set({ [key]: !this.#client.state[key] });
  }

  camera(number) {
    const [input] = this.#cameras.filter(({ value }) => Number(value) === number);
    if (!input.disabled) this.#client.set({ "main-camera": number });
  }

  async #step(value) {
    if (this.#busy || obstacle("record", this.#session.table.record, this.#session.situation)) return;
    this.#busy = true;
    this.#update();
    try {
      await this.#client.set({ record: value });
    } catch {
      // It has been told.
    } finally {
      this.#busy = false;
      this.#update();
    }
  }

  #addCamera(camera) {
    const input = h("input", {
      type: "radio", name: "main-camera", value: camera, id: `main-camera-${camera}`,
      on: { change: () => this.#client.set({ "main-camera": camera }) },
    });
    this.#cameras.push(input);
    $("main-camera").append(h("label", {}, input, h("span", {})));
  }

  #update() {
    const { table, situation } = this.#session;
    const { state } = situation;
    const against = obstacle("record", table.record, situation);
    const running = state.record === true || state.record === "pause";
    const paused = state.record === "pause";
    const set = (id, usable, why) => {
      $(id).disabled = !usable;
      $(id).title = usable ? "" : why ? reason(why) : "";
    };
    const nothing = against ?? { word: "why.nothing" };
    set("record-start", !against && !running && !this.#busy, against ?? { word: "why.already" });
    set("record-pause", !against && running && !this.#busy, nothing);
    set("record-stop", !against && running && !this.#busy, nothing);
    $("record-start").setAttribute("aria-pressed", String(running && !paused));
    $("record-pause").setAttribute("aria-pressed", String(paused));
    const [symbol, word] = $("record-pause").children;
    if (symbol.dataset.icon !== (paused ? "resume" : "pause")) {
      symbol.dataset.icon = paused ? "resume" : "pause";
      symbol.replaceChildren(icon(symbol.dataset.icon));
    }
    word.textContent = t(paused ? "record.resume" : "record.pause");
    const noSnap = obstacle("snap", table.snap, situation);
    set("snap", !noSnap && !state.snap, noSnap);
    // What the head of the panels says need not be said here, too.
    const general = ["why.offline", "why.login", "why.role"].includes(against?.word);
    const note = against && !general ? reason(against) : "";
    $("dock-note").hidden = !note || !Object.keys(table).length;
    $("dock-note").textContent = note;
    this.#updateHeads();
    this.#tick();
  }

  #updateHeads() {
    const { table, situation } = this.#session;
    const { state } = situation;
    const against = obstacle("main-camera", table["main-camera"], situation);
    for (const input of this.#cameras) {
      const camera = Number(input.value);
      const there = state[`cam${camera}-exists`] !== false;
      const label = input.nextSibling;
      label.textContent = t("camera.camera", { camera });
      input.parentElement.classList.toggle("absent", !there);
      input.parentElement.title = there
        ? against ? reason(against) : "" : t("why.camera", { camera });
      input.setAttribute("aria-label", there
        ? label.textContent : `${label.textContent}, ${t("camera.absent")}`);
      input.disabled = Boolean(against) || !there;
      if (!this.#client.pending("main-camera")) input.checked = state["main-camera"] === camera;
      const key = `cam${camera}-light`;
      const lamp = $(`lamp-${camera}`);
      const dark = obstacle(key, table[key], situation);
      lamp.disabled = Boolean(dark);
      lamp.title = dark ? reason(dark) : "";
      lamp.setAttribute("aria-pressed", String(state[key] === true));
      lamp.querySelector(".text").textContent = t("lamp.lamp", { camera });
    }
  }

  // -- running time ----------------------------------------------------------------------

  #recording(state) {
    const joined = !this.#watching && state;
    this.#watching = true;
    this.#time.told(state ?? false);
    if (joined) this.#find();
    this.#tick();
  }

  /** It was running before this page was there: for how long, without its pauses? */
  async #find() {
    if (!this.#client.may("Media_r", "Media_rw")) return;
    try {
      const answer = await this.#client.fetch("/api/recordings?limit=50");
      const { recordings } = await answer.json();
      const [first] = recordings;
      if (first?.state !== "recording") return;
      let seconds = first.duration;
      for (let one = first; one?.continues;) {
        one = recordings.find(({ id }) => id === one.continues);
        seconds += one?.duration ?? 0;
      }
      this.#time.found(seconds);
    } catch {
      // Then it counts from now on.
    }
  }

  #tick() {
    const { online, client } = this.#session;
    const state = online ? client.state.record : undefined;
    const running = state === true || state === "pause";
    const text = clock(running ? this.#time.seconds : 0);
    const word = state === "pause" ? "record.paused" : running ? "record.on" : "record.idle";
    put($("record-time"), text, state);
    const badge = $("stage-badge");
    badge.dataset.state = String(state);
    write(badge.querySelector(".text"), t(word));
    write(badge.querySelector(".time"), text);
    const chip = $("recording-state");
    chip.hidden = state === undefined;
    chip.dataset.state = String(state);
    write(chip.querySelector(".text"), t(word));
    write(chip.querySelector(".time"), running ? text : "");
    chip.setAttribute("aria-label", t(word));
  }
}

function put(element, text, state) {
  element.dataset.state = String(state);
  write(element, text);
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
