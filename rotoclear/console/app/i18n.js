/** The page's words, in the language that the browser prefers or that was chosen. */

import de from "./words-de.js";
import en from "./words-en.js";
import { plain } from "./format.js";

const WORDS = { en, de };
const listeners = new Set();

/** The languages there are: {en: "English", ...}. */
export const LANGUAGES = Object.fromEntries(
  Object.entries(WORDS).map(([code, words]) => [code, words.language]),
);

let current = globalThis.document?.documentElement.lang ?? "en";
if (!WORDS[current]) current = "en";

/** "en" or "de". */
export function language() {
  return current;
}

/** Choose one; it is remembered. */
export function choose(code) {
  current = code;
  document.documentElement.lang = code;
  try {
    localStorage.setItem("rotoclear-language", code);
  } catch {
    // Then it is asked of the browser again next time.
  }
  translate(document);
  for (const listener of listeners) listener(code);
}

/** Be told when another language was chosen. */
export function onLanguage(listener) {
  listeners.add(listener);
}

/** A word, with {names} filled in; the word's name itself if nobody has written it. */
export function t(word, values = {}) {
  const text = WORDS[current][word] ?? WORDS.en[word] ?? word;
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/** A word if there is one. */
export function maybe(word) {
  return WORDS[current][word] ?? null;
}

/** Put the words where the page's HTML has data-t (text), data-t-label and data-t-title. */
export function translate(root) {
  for (const element of root.querySelectorAll("[data-t]")) {
    element.textContent = t(element.dataset.t);
  }
  for (const element of root.querySelectorAll("[data-t-label]")) {
    element.setAttribute("aria-label", t(element.dataset.tLabel));
  }
  for (const element of root.querySelectorAll("[data-t-title]")) {
    element.title = t(element.dataset.tTitle);
  }
}

/** What a key is called: a driver's own as its driver describes it. */
export function keyName(name) {
  return maybe(`key.${name}`) ?? plain(name.replace(/^vendor-/, ""));
}

/** What a value is called. */
export function choiceName(key, value) {
  return maybe(`choice.${key}.${value}`) ?? maybe(`choice.${value}`) ?? plain(value);
}

// What the server says in English, for those who read another language. What is not here is
// shown as it came: better English than nothing.
const SAID = {
  de: [
    [/^Value must be between (\S+) and (\S+)$/, "Erlaubt ist $1 bis $2."],
    [/^Value must be one of (.+)$/, "Erlaubt ist: $1."],
    [/^Camera (\d) is not plugged in$/, "Kamera $1 ist nicht angeschlossen."],
    [/^There is no connection to the server$/, "Es besteht keine Verbindung zum Gerät."],
    [/^The connection was lost$/, "Die Verbindung ist abgerissen."],
    [/^A password has at least (\d+) characters$/, "Ein Passwort hat mindestens $1 Zeichen."],
    [/^A password has at most (\d+) characters$/, "Ein Passwort hat höchstens $1 Zeichen."],
    [/^There is a user (.+) already$/, "Den Benutzer $1 gibt es schon."],
  ],
};

/** What the server says, in this language if we know how. */
export function said(message) {
  for (const [pattern, text] of SAID[current] ?? []) {
    if (pattern.test(message)) return message.replace(pattern, text);
  }
  return message;
}

/** An error as a person reads it: {title, text}. */
export function explain(error) {
  const what = maybe(`error.${error.error}`) ?? t("error.other");
  const title = error.key ? `${keyName(error.key)}: ${what}` : what;
  const text = error.message && error.message !== error.error ? said(error.message) : "";
  return { title, text };
}
