/** Single keys for those who have their hands full. They can be turned off (WCAG 2.1.4). */

import { open } from "./dialogs.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";

const SETTING = "rotoclear-shortcuts";

let on = read();

const LIST = [
  ["R", "record"], ["P", "pause"], ["S", "snap"], ["1 2", "camera"], ["L", "lamp"], ["W", "wall"], ["?", "help"],
];

export function listen(dock, views, client) {
  const actions = {
    r: () => dock.toggle(),
    p: () => dock.pause(),
    s: () => dock.snap(),
    1: () => dock.camera(1),
    2: () => dock.camera(2),
    l: () => dock.lamp(client.state["main-camera"]),
    w: () => views.toggleWall(),
    "?": () => help(),
  };
  document.addEventListener("keydown", (event) => {
    if (!on || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return;
    if (!views.live || document.querySelector("dialog[open]")) return;
    if (event.target.closest?.("input:not([type=range]):not([type=checkbox]), select, textarea, #menu")) return;
    const action = actions[event.key.toLowerCase()];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

/** Show which there are. */
export function help() {
  return open({
    id: "shortcuts",
    label: t("shortcuts.title"),
    make: (close) => {
      const input = h("input", { type: "checkbox", role: "switch", id: "shortcuts-on", checked: on });
      input.addEventListener("change", () => {
        on = input.checked;
        try {
          localStorage.setItem(SETTING, on ? "on" : "off");
        } catch {
          // Until the page is left, then.
        }
      });
      return h("div.content", {},
        h("h2", {}, t("shortcuts.title")),
        h("dl", {}, ...LIST.flatMap(([keys, word]) => [
          h("dt", {}, ...keys.split(" ").flatMap((key) => [h("kbd", {}, key), " "])),
          h("dd", {}, t(`shortcuts.${word}`)),
        ])),
        h("div.control.row", {}, h("label", { for: "shortcuts-on" }, t("shortcuts.on")),
          h("span.switch", {}, input, h("span"))),
        h("div.buttons", {}, h("button.button", { type: "button", autofocus: true, on: { click: () => close() } }, t("close"))));
    },
  });
}

function read() {
  try {
    return localStorage.getItem(SETTING) !== "off";
  } catch {
    return true;
  }
}
