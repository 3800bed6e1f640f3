/** Which view is shown: the address says it behind the "#", so that it can be bookmarked. */

import { $ } from "./dom.js";

const VIEWS = ["live", "gallery", "users"];

export class Views {
  /** "live", "gallery", "users" or "wall". */
  view = "live";

  #listeners = new Set();

  constructor() {
    window.addEventListener("hashchange", () => this.#show());
    $("wall-enter").addEventListener("click", () => this.toggleWall());
    $("wall-leave").addEventListener("click", () => this.toggleWall());
    document.addEventListener("fullscreenchange", () => {
      if (!document.fullscreenElement && this.view === "wall") this.go("live");
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.view === "wall") this.toggleWall();
    });
    this.#show();
  }

  /** The picture is to be seen. */
  get live() {
    return this.view === "live" || this.view === "wall";
  }

  on(listener) {
    this.#listeners.add(listener);
    listener(this.view);
  }

  go(view) {
    location.hash = view;
  }

  /** The picture and nothing else, on the whole screen if the browser allows; and back. */
  async toggleWall() {
    if (this.view === "wall") {
      if (document.fullscreenElement) await document.exitFullscreen().catch(() => {});
      this.go("live");
    } else {
      this.go("wall");
      await document.documentElement.requestFullscreen?.().catch(() => {});
    }
  }

  #show() {
    const wanted = location.hash.slice(1);
    this.view = wanted === "wall" || VIEWS.includes(wanted) ? wanted : "live";
    document.documentElement.dataset.view = this.view;
    for (const view of VIEWS) {
      const shown = view === this.view || (view === "live" && this.view === "wall");
      $(view).hidden = !shown;
      if (shown) $(`view-${view}`).setAttribute("aria-current", "page");
      else $(`view-${view}`).removeAttribute("aria-current");
    }
    for (const listener of this.#listeners) listener(this.view);
  }
}
