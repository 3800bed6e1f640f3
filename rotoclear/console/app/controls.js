/** One key's control: built from what the server says about the key. */

import { h } from "./dom.js";
import { size } from "./format.js";
import { Held } from "./held.js";
import { choiceName, keyName, maybe, t } from "./i18n.js";
import { hint, kind, obstacle } from "./keys.js";

/**
 * Make the control of a key.
 *
 * @return {element, update()}: `update` shows the value as it is now, and whether it may be set
 */
export function makeControl(name, session) {
  const description = session.table[name];
  const what = kind(name, description);
  const control = MAKERS[what](name, description, session.client);
  const { element } = control;
  element.dataset.key = name;
  element.dataset.kind = what;
  element.title = maybe(`key.${name}`) ? "" : description.doc;
  const note = h("p.hint", { id: `hint-${name}` });
  element.append(note);
  for (const input of control.inputs ?? []) input.setAttribute("aria-describedby", note.id);

  const update = () => {
    const { situation, client } = session;
    const against = what === "value" ? null : obstacle(name, session.table[name], situation);
    element.dataset.usable = String(!against);
    control.allow?.(!against);
    // What everybody is told at the head of the panels need not be said at each control.
    const said = against && !["why.login", "why.role", "why.offline"].includes(against.word);
    const advice = against ? null : hint(name, client.state);
    note.textContent = said ? t(against.word, against) : advice ? t(advice) : "";
    element.title = against ? reason(against) : "";
    if (name in client.state) control.show(client.state[name]);
  };
  return { element, update, settled: () => control.settled?.(session.client.state[name]) };
}

/** Why something cannot be used, in words. */
export function reason(against) {
  return t(against.word, { ...against, role: t(`role.${against.role}`) });
}

const MAKERS = { slider, choice, segments, switch: toggle, layout, text, number: text, value };

function heading(name, control) {
  return h("label.name", { for: `control-${name}` }, keyName(name), control ?? null);
}

function slider(name, description, client) {
  const { minimum, maximum, unit } = description;
  const held = new Held(description.default);
  const input = h("input", {
    type: "range", id: `control-${name}`, min: minimum, max: maximum, step: 1,
  });
  const output = h("output.value", { for: input.id, id: `value-${name}` });
  const neutral = h("span.neutral", { "aria-hidden": "true" });
  const share = (number) => String((number - minimum) / (maximum - minimum || 1));
  neutral.style.setProperty("--at", share(description.default));
  const draw = () => {
    input.value = held.shown;
    input.style.setProperty("--filled", share(held.shown));
    output.textContent = unit ? `${held.shown} ${unit}` : String(held.shown);
  };
  input.addEventListener("pointerdown", () => held.grasp());
  for (const end of ["pointerup", "pointercancel", "blur", "change"]) {
    input.addEventListener(end, () => {
      held.release();
      draw();
    });
  }
  input.addEventListener("input", () => {
    held.move(input.valueAsNumber);
    client.adjust(name, input.valueAsNumber);
    draw();
  });
  return {
    element: h("div.control.slider", {}, heading(name), output, h("div.track", {}, neutral, input)),
    inputs: [input],
    show: (number) => {
      held.told(number);
      draw();
    },
    settled: (number) => {
      held.told(number);
      held.answered();
      draw();
    },
    allow: (may) => {
      input.disabled = !may;
    },
  };
}

/** What is chosen is sent at once, and shown until the server has said otherwise. */
function sender(name, client) {
  return {
    send: (value) => client.set({ [name]: value }),
    waits: () => client.pending(name),
  };
}

function choice(name, description, client) {
  const { send, waits } = sender(name, client);
  const label = (value) => {
    if (description.type === "size") return size(value);
    return typeof value === "number" ? String(value) : choiceName(name, value);
  };
  const input = h("select", { id: `control-${name}` });
  const options = (values) => {
    input.replaceChildren(
      ...values.map((value) => h("option", { value: JSON.stringify(value) }, label(value))),
    );
  };
  options(description.choices);
  input.addEventListener("change", () => send(JSON.parse(input.value)));
  return {
    element: h("div.control.row", {}, heading(name), input),
    inputs: [input],
    show: (value) => {
      if (waits()) return;
      // A value that this camera does not offer is still what is so.
      if (!description.choices.includes(value)) options([...description.choices, value]);
      input.value = JSON.stringify(value);
    },
    settled: (value) => {
      input.value = JSON.stringify(value);
    },
    allow: (may) => {
      input.disabled = !may;
    },
  };
}

/** A few numbers side by side. */
function segments(name, description, client) {
  const { send, waits } = sender(name, client);
  const inputs = [];
  for (let number = description.minimum; number <= description.maximum; number += 1) {
    inputs.push(h("input", {
      type: "radio", name: `control-${name}`, value: number, on: { change: () => send(number) },
    }));
  }
  const element = h("fieldset.control.row", {},
    h("legend.hidden", {}, keyName(name)),
    h("span.name", { "aria-hidden": "true" }, keyName(name)),
    h("div.segments", {},
      ...inputs.map((input) => h("label", {}, input, h("span", {}, input.value)))));
  const show = (value) => {
    for (const input of inputs) input.checked = Number(input.value) === value;
  };
  return {
    element,
    inputs,
    show: (value) => waits() || show(value),
    settled: show,
    allow: (may) => {
      for (const input of inputs) input.disabled = !may;
    },
  };
}

function toggle(name, description, client) {
  const { send, waits } = sender(name, client);
  const input = h("input", { type: "checkbox", role: "switch", id: `control-${name}` });
  input.addEventListener("change", () => send(input.checked));
  const show = (value) => {
    input.checked = value !== false;
  };
  return {
    element: h("div.control.row", {}, heading(name), h("span.switch", {}, input, h("span"))),
    inputs: [input],
    show: (value) => waits() || show(value),
    settled: show,
    allow: (may) => {
      input.disabled = !may;
    },
  };
}

/** Where the second picture goes, as little pictures of it. */
function layout(name, description, client) {
  const { send, waits } = sender(name, client);
  const chosen = h("span.value", { "aria-hidden": "true" });
  const inputs = description.choices.map((value) => h("input", {
    type: "radio", name: `control-${name}`, value, "aria-label": choiceName(name, value),
    on: {
      change: () => {
        chosen.textContent = choiceName(name, value);
        send(value);
      },
    },
  }));
  const show = (value) => {
    for (const input of inputs) input.checked = input.value === value;
    chosen.textContent = choiceName(name, value);
  };
  return {
    element: h("fieldset.control.row", {},
      h("legend.hidden", {}, keyName(name)),
      h("span.name", { "aria-hidden": "true" }, keyName(name)), chosen,
      h("div.layouts", {}, ...inputs.map((input) => h("label", { title: choiceName(name, input.value) },
        input, h("span", { data: { layout: input.value } }))))),
    inputs,
    show: (value) => waits() || show(value),
    settled: show,
    allow: (may) => {
      for (const input of inputs) input.disabled = !may;
    },
  };
}

/** Something to be typed; it is sent when it is done, not at each letter. */
function text(name, description, client) {
  const { send, waits } = sender(name, client);
  const number = description.type === "integer";
  const input = h("input", {
    type: number ? "number" : "text", id: `control-${name}`,
    min: description.minimum, max: description.maximum,
    maxlength: description.schema.maxLength,
  });
  input.addEventListener("change", () => send(number ? input.valueAsNumber : input.value));
  const show = (value) => {
    input.value = value;
  };
  return {
    element: h(number ? "div.control.row" : "div.control", {}, heading(name), input),
    inputs: [input],
    show: (value) => waits() || document.activeElement === input || show(value),
    settled: show,
    allow: (may) => {
      input.disabled = !may;
    },
  };
}

/** What nobody can set. */
function value(name, description) {
  const output = h("output.value", { id: `value-${name}` });
  return {
    element: h("div.control.row", {}, h("span.name", {}, keyName(name)), output),
    show: (shown) => {
      const text = typeof shown === "boolean" ? t(`value.${shown}`) : String(shown);
      output.textContent = description.unit ? `${text} ${description.unit}` : text;
    },
  };
}
