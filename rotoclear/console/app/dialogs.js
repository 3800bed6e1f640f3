/** Windows in the page: they keep the focus while they are open, and give it back. */

import { h, icon } from "./dom.js";
import { t } from "./i18n.js";

let count = 0;

/**
 * Open one.
 *
 * @param make called with `close`: what is in it
 * @return resolves when it is closed, with what it was closed with; null: given up
 */
export function open({ id, className = "", label = null, make }) {
  return new Promise((resolve) => {
    let result = null;
    const dialog = h(`dialog${className ? `.${className}` : ""}`, { id, "aria-label": label });
    const close = (value = null) => {
      result = value;
      dialog.close();
    };
    dialog.append(make(close));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(result);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/**
 * A form in a window.
 *
 * @param fields made by `field()` and `secret()`
 * @param submit asked when it is sent; a text that it resolves with is shown as the problem, and
 *   the window stays open; null closes it
 */
export function form({ id, title, lead, fields, action, danger, aside, cancel, submit }) {
  return open({
    id,
    make: (close) => {
      const heading = h("h2", { id: `${id}-title` }, title);
      const problem = h("p.problem", { role: "alert", id: `${id}-problem` });
      const send = h(`button.button.${danger ? "danger" : "primary"}`, {
        type: "submit", id: `${id}-submit`,
      }, action);
      const element = h(
        "form",
        { method: "dialog", "aria-labelledby": `${id}-title`, novalidate: true },
        heading,
        lead ? h("p.lead", {}, lead) : null,
        ...fields.map(({ element: field }) => field),
        problem,
        aside ? h("p.aside", {}, aside) : null,
        h("div.buttons", {},
          h("button.button.quiet", { type: "button", id: `${id}-cancel`, on: { click: () => close() } },
            cancel ?? t("login.cancel")),
          send),
      );
      element.addEventListener("submit", async (event) => {
        event.preventDefault();
        if (send.disabled) return;
        send.disabled = true;
        problem.textContent = "";
        const wrong = await submit(Object.fromEntries(fields.map((f) => [f.name, f.input.value])));
        send.disabled = false;
        if (wrong === null) close(true);
        else {
          problem.textContent = wrong;
          fields.find((field) => field.again)?.input.select();
        }
      });
      return element;
    },
  });
}

/** A question that can be answered with yes; true or null. */
export function confirm({ id, title, text, action }) {
  const content = { element: h("p", {}, text), name: "text", input: { value: "" } };
  return form({ id, title, fields: [content], action, danger: true, submit: async () => null });
}

/** A line to type into. */
export function field(name, label, attributes = {}, note = null) {
  count += 1;
  const noted = note ? `field-${count}-note` : null;
  const input = h("input", { type: "text", name, "aria-describedby": noted, ...attributes });
  return { name, input, element: h("label.field", {}, label, input, note ? h("small", { id: noted }, note) : null) };
}

/** Likewise, for what nobody is to read over one's shoulder; `again`: selected when it was wrong. */
export function secret(name, label, attributes = {}, note = null) {
  count += 1;
  const id = attributes.id ?? `field-${count}`;
  const input = h("input", {
    type: "password", name, id, spellcheck: "false", autocapitalize: "off",
    "aria-describedby": note ? `${id}-note` : null, ...attributes,
  });
  const show = h("button.button.small", {
    type: "button",
    "aria-label": t("login.show"),
    title: t("login.show"),
    "aria-pressed": "false",
    on: {
      click: () => {
        const hidden = input.type === "password";
        input.type = hidden ? "text" : "password";
        show.setAttribute("aria-pressed", String(hidden));
      },
    },
  }, icon("eye"));
  const element = h("div.field", {},
    h("label", { for: id }, label),
    h("div.secret", {}, input, show),
    note ? h("small", { id: `${id}-note` }, note) : null);
  return { name, input, element, again: true };
}

/** One of several. */
export function choice(name, label, options, value) {
  const input = h("select", { name }, ...options.map(([code, text]) => h("option", { value: code }, text)));
  input.value = value;
  return { name, input, element: h("label.field", {}, label, input) };
}
