/** Logging in and out, one's password, and the menu that it all hangs in. */

import { field, form, secret } from "./dialogs.js";
import { $, h, icon } from "./dom.js";
import { LANGUAGES, choose, explain, language, onLanguage, t } from "./i18n.js";
import { complain, notify } from "./notices.js";

/** What the first start makes up: nobody who chose a password of their own has one like this. */
const INITIAL = /^([a-km-np-z2-9]{4}-){4}[a-km-np-z2-9]{4}$/;

const THEMES = ["auto", "light", "dark"];

export class Account {
  #session;
  #client;
  #shortcuts;
  #open = false;
  #version = "";

  /** @param shortcuts opens the list of them */
  constructor(session, shortcuts) {
    this.#session = session;
    this.#client = session.client;
    this.#shortcuts = shortcuts;
    $("menu-button").addEventListener("click", () => this.#toggle(!this.#open));
    document.addEventListener("pointerdown", (event) => {
      if (this.#open && !event.target.closest("#menu, #menu-button")) this.#toggle(false);
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#open) {
        this.#toggle(false);
        $("menu-button").focus();
      }
    });
    session.on(() => this.#show());
    session.client.on("auth", ({ error }) => {
      if (error && !document.querySelector("dialog#login")) {
        notify("warn", t("login.ended"), "", { label: t("login.login"), run: () => this.login() });
      }
    });
    onLanguage(() => {
      this.#show();
      if (this.#open) this.#fill();
    });
  }

  /** Ask for a name and a password. */
  login = async () => {
    this.#toggle(false);
    if (document.querySelector("dialog#login")) return;
    let initial = "";
    const done = await form({
      id: "login",
      title: t("login.title"),
      fields: [
        field("username", t("login.username"), {
          autocomplete: "username", autocapitalize: "off", spellcheck: "false", autofocus: true, id: "login-username",
        }),
        secret("password", t("login.password"), { autocomplete: "current-password", id: "login-password" }),
      ],
      action: t("login.login"),
      aside: t("login.first"),
      submit: async ({ username, password }) => {
        try {
          await this.#client.login(username.trim(), password);
        } catch (error) {
          if (error.error === "Invalid credentials") return t("login.wrong");
          if (error.error === "Too many attempts") return t("login.wait", { seconds: error.retryAfter });
          const { title, text } = explain(error);
          return text || title;
        }
        if (INITIAL.test(password)) initial = password;
        return null;
      },
    });
    if (done && initial) await this.changePassword(initial);
  };

  /** @param initial the password that the first start made up, if that is the reason to change it */
  async changePassword(initial = "") {
    this.#toggle(false);
    const old = secret("old", t("password.old"), { autocomplete: "current-password", id: "password-old" });
    if (initial) {
      old.input.value = initial;
      old.element.hidden = true;
    }
    const done = await form({
      id: "password",
      title: t("password.title"),
      lead: initial ? t("password.initial") : null,
      fields: [
        old,
        secret("fresh", t("password.new"), { autocomplete: "new-password", id: "password-new", autofocus: true },
          t("password.rule")),
        secret("again", t("password.again"), { autocomplete: "new-password", id: "password-again" }),
      ],
      action: t("password.save"),
      cancel: initial ? t("password.later") : null,
      submit: async ({ old: before, fresh, again }) => {
        if (fresh !== again) return t("password.differ");
        try {
          await this.#client.changePassword(before, fresh);
        } catch (error) {
          if (error.error === "Invalid credentials") return t("password.wrong");
          const { title, text } = explain(error);
          return text || title;
        }
        return null;
      },
    });
    if (done) notify("info", t("password.done"));
  }

  async #logout() {
    this.#toggle(false);
    try {
      await this.#client.logout();
    } catch (error) {
      complain(error);
    }
  }

  #show() {
    const { authenticated, username } = this.#client;
    $("menu-name").textContent = authenticated ? username : t("login.login");
    $("menu-button").setAttribute("aria-label", `${$("menu-name").textContent}: ${t("menu.menu")}`);
    $("menu-button").title = t("menu.menu");
    $("menu-button").dataset.user = username;
    if (this.#open) this.#who();
  }

  #toggle(open) {
    if (open === this.#open) return;
    this.#open = open;
    $("menu").hidden = !open;
    $("menu-button").setAttribute("aria-expanded", String(open));
    if (!open) return;
    this.#fill();
    if (!this.#version) {
      this.#client.request("GET", "/api/status").then(({ version }) => {
        this.#version = version;
        const about = document.querySelector("#menu .about");
        if (about) about.textContent = t("menu.about", { version });
      }, () => {});
    }
  }

  #fill() {
    $("menu").replaceChildren(
      h("div", { id: "menu-who" }),
      this.#setting("language", t("menu.language"),
        Object.entries(LANGUAGES), language(), (code) => choose(code)),
      this.#setting("theme", t("menu.theme"),
        THEMES.map((theme) => [theme, t(`menu.theme.${theme}`)]),
        document.documentElement.dataset.theme, paint),
      h("button.button.quiet", {
        type: "button", id: "shortcuts-open",
        on: {
          click: () => {
            this.#toggle(false);
            this.#shortcuts();
          },
        },
      }, t("menu.shortcuts")),
      h("p.about", {}, this.#version ? t("menu.about", { version: this.#version }) : ""));
    this.#who();
  }

  #who() {
    const { authenticated, username, role } = this.#client;
    const button = (id, symbol, text, run, kind = "") => h(`button.button${kind}`, {
      type: "button", id, on: { click: run },
    }, icon(symbol), text);
    $("menu-who").replaceChildren(h("div.who", {},
      h("strong", {}, authenticated ? username : t("role.anonymous")),
      authenticated ? h("span.muted", { id: "menu-role" }, t(`role.${role}`)) : ""),
    h("div.actions", {}, ...(authenticated ? [
      button("password-open", "key", t("password.change"), () => this.changePassword()),
      button("logout", "lock", t("login.logout"), () => this.#logout()),
    ] : [button("login-open", "person", t("login.login"), this.login, ".primary")])));
  }

  #setting(name, title, options, chosen, run) {
    return h("fieldset.setting", {},
      h("legend", {}, title),
      h("div.segments", {}, ...options.map(([code, text]) => h("label", {},
        h("input", {
          type: "radio", name: `menu-${name}`, value: code, id: `${name}-${code}`, checked: code === chosen,
          on: { change: () => run(code) },
        }),
        h("span", { lang: name === "language" ? code : null }, text)))));
  }
}

function paint(theme) {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("rotoclear-theme", theme);
  } catch {
    // Until the page is left, then.
  }
}
