/** The bar: the connection, the storage. */

import { $ } from "./dom.js";
import { bytes } from "./format.js";
import { language, onLanguage, t } from "./i18n.js";

export class Status {
  #session;

  constructor(session) {
    this.#session = session;
    $("connection-retry").addEventListener("click", () => session.client.retry());
    // A network that is back, or somebody who looks again, need not wait.
    window.addEventListener("online", () => session.client.retry());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") session.client.retry();
    });
    session.on(() => this.#show());
    onLanguage(() => this.#show());
  }

  #show() {
    const { client, online } = this.#session;
    // A blink is not worth a word.
    const status = online && client.status !== "open" ? "waiting" : client.status;
    const shown = status === "connecting" && this.#known() ? "waiting" : status;
    const chip = $("connection");
    chip.dataset.state = shown;
    chip.title = t(`connection.${shown}`);
    write(chip.querySelector(".text"), t(`connection.${shown === "waiting" ? "connecting" : shown}`));
    $("offline").hidden = online || !this.#known();
    write($("offline").querySelector(".text"), t("connection.waiting"));
    this.#storage();
  }

  #known() {
    return Object.keys(this.#session.client.state).length > 0;
  }

  #storage() {
    const { state } = this.#session.client;
    const there = state["storage-exists"];
    const chip = $("storage");
    chip.hidden = there === undefined;
    chip.dataset.state = String(there);
    if (there === undefined) return;
    const free = bytes(state["storage-free"] ?? 0, language());
    write(chip.querySelector(".text"), there ? t("storage.free", { free }) : t("storage.none"));
    chip.title = there ? t("storage.title", { name: state["storage-name"], free }) : t("storage.none");
  }
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
