/** What the page has to say: at its edge, for a while, and read out. */

import { $, h, icon } from "./dom.js";
import { explain, t } from "./i18n.js";

const MOST = 4;
const SHORT = 5000;
const LONG = 12000;

const shown = new Map();

/**
 * Say something.
 *
 * @param kind "info", "warn" or "bad"; a bad one is read out at once
 * @param action {label, run}: a button, if there is something to do about it
 */
export function notify(kind, title, text = "", action = null) {
  const same = `${kind} ${title} ${text}`;
  shown.get(same)?.remove();
  const remove = () => {
    clearTimeout(timer);
    element.remove();
    shown.delete(same);
  };
  const button = action && h("button.button.small", {
    type: "button",
    on: { click: () => (remove(), action.run()) },
  }, action.label);
  const element = h(
    `div.notice.${kind}`,
    { role: kind === "bad" ? "alert" : "status", data: { kind } },
    h("span.i", {}, icon(kind === "info" ? "info" : "warning")),
    h("div", {}, h("strong", {}, title), text ? h("p", {}, text) : null, button),
    h("button.tool", {
      type: "button",
      "aria-label": t("notice.dismiss"),
      on: { click: remove },
    }, icon("close")),
  );
  let timer = setTimeout(remove, kind === "info" ? SHORT : LONG);
  // Whoever reads it is not to lose it.
  const stay = () => clearTimeout(timer);
  element.addEventListener("pointerenter", stay);
  element.addEventListener("focusin", stay);
  element.addEventListener("pointerleave", () => {
    timer = setTimeout(remove, SHORT);
  });
  shown.set(same, { remove });
  $("notices").append(element);
  if (shown.size > MOST) shown.values().next().value.remove();
}

/** Say what went wrong, in words. */
export function complain(error) {
  const { title, text } = explain(error);
  notify("bad", title, text);
}
