/** The panels beside the picture: a control for each key, as the key table says. */

import { makeControl, reason } from "./controls.js";
import { $, h, icon } from "./dom.js";
import { onLanguage, t } from "./i18n.js";
import { obstacle, panels } from "./keys.js";

export class Panels {
  #session;
  #controls = new Map(); // key: {made, control}
  #resets = [];
  #shape = "";
  #login;

  constructor(session, login) {
    this.#session = session;
    this.#login = login;
    session.onTable(() => this.#build());
    session.on(() => this.#update());
    session.client.on("settled", (key) => this.#controls.get(key)?.control.settled());
    onLanguage(() => {
      this.#controls.clear();
      this.#shape = "";
      this.#build();
    });
  }

  /** Make anew what has changed: a control that somebody uses at this moment stays. */
  #build() {
    const { table } = this.#session;
    const sorted = panels(table);
    const shape = JSON.stringify(sorted);
    const before = this.#controls;
    this.#controls = new Map();
    for (const name of sorted.flatMap(({ keys }) => keys)) {
      const { writable, ...made } = table[name];
      const same = JSON.stringify(made);
      const old = before.get(name);
      if (old?.made === same) {
        this.#controls.set(name, old);
        continue;
      }
      const control = makeControl(name, this.#session);
      if (old && shape === this.#shape) old.control.element.replaceWith(control.element);
      this.#controls.set(name, { made: same, control });
    }
    if (shape !== this.#shape) this.#arrange(sorted);
    this.#shape = shape;
    this.#update();
  }

  #arrange(sorted) {
    this.#resets = [];
    const closed = new Set(
      [...document.querySelectorAll(".panel:not([open])")].map(({ dataset }) => dataset.panel),
    );
    $("panels").replaceChildren(...sorted.map(({ id, title, keys }) => {
      const name = title ?? t(`panel.${id}`);
      const sliders = keys.filter((key) => this.#controls.get(key).control.element.dataset.kind === "slider");
      const body = h("div.body", {}, ...keys.map((key) => this.#controls.get(key).control.element));
      if (sliders.length > 1) body.append(this.#reset(id, name, sliders));
      return h("details.panel", { open: !closed.has(id), data: { panel: id } },
        h("summary", {}, h("h2", {}, name)), body);
    }));
  }

  #reset(id, name, keys) {
    const { client, table } = this.#session;
    const button = h("button.button.small.quiet.foot", {
      type: "button",
      id: `reset-${id}`,
      title: t("panel.reset.title", { panel: name }),
      on: {
        click: () => client.set(Object.fromEntries(keys.map((key) => [key, table[key].default]))),
      },
    }, icon("reset"), t("panel.reset"));
    this.#resets.push({ button, keys });
    return button;
  }

  #update() {
    const { table, situation, client } = this.#session;
    for (const { control } of this.#controls.values()) control.update();
    for (const { button, keys } of this.#resets) {
      const against = keys.some((key) => obstacle(key, table[key], situation));
      button.disabled = against || keys.every((key) => client.state[key] === table[key]?.default);
    }
    this.#note(obstacle("brightness", table.brightness, situation));
  }

  /** What holds for all of them, once. */
  #note(against) {
    // Before the table has come there is nothing to explain.
    const known = !this.#session.online || Object.keys(this.#session.table).length > 0;
    const general = known ? against : null;
    const note = $("controls-note");
    const said = general ? reason(general) : "";
    note.hidden = !said;
    if (note.dataset.said === said) return;
    note.dataset.said = said;
    note.replaceChildren(icon("lock"), h("span", {}, said));
    if (general?.word === "why.login") {
      note.append(h("button.button.small", {
        type: "button", on: { click: this.#login },
      }, t("login.login")));
    }
  }
}
