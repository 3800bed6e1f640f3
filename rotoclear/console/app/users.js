/** The users and their roles, for administrators. */

import { choice, confirm, field, form, secret } from "./dialogs.js";
import { $, h, icon } from "./dom.js";
import { explain, onLanguage, t } from "./i18n.js";
import { complain, notify } from "./notices.js";

const ROLES = ["administrator", "operator", "viewer"];

export class Users {
  #session;
  #client;
  #views;
  #users = [];

  constructor(session, views) {
    this.#session = session;
    this.#client = session.client;
    this.#views = views;
    $("user-add").addEventListener("click", () => this.#add());
    session.on(() => {
      $("view-users").hidden = !this.#may;
    });
    session.client.on("auth", () => this.#ask());
    session.client.on("status", ({ status }) => status === "open" && this.#ask());
    views.on(() => this.#ask());
    onLanguage(() => this.#show());
  }

  get #may() {
    return this.#client.may("User_r", "User_rw");
  }

  async #ask() {
    if (this.#views.view !== "users") return;
    if (!this.#client.connected) return;
    try {
      const { users } = this.#may ? await this.#client.request("GET", "/api/users") : { users: [] };
      this.#users = users;
    } catch (error) {
      complain(error);
    }
    this.#show();
  }

  #show() {
    const may = this.#client.may("User_rw");
    $("user-add").disabled = !may;
    $("users-table").hidden = !this.#may;
    $("users-note").hidden = this.#may;
    $("users-note").replaceChildren(icon("lock"), t("users.denied"));
    $("users-list").replaceChildren(...this.#users.map(({ name, role }) => h("tr", { data: { user: name } },
      h("th", { scope: "row" }, name, name === this.#client.username ? h("span.tag", {}, t("users.you")) : null),
      h("td", {}, h("span", { title: t(`role.${role}.more`) }, t(`role.${role}`))),
      h("td", {},
        this.#tool("edit", "edit", t("users.edit", { name }), !may, () => this.#edit(name, role)),
        this.#tool("delete", "trash", t("users.delete", { name }), !may, () => this.#delete(name))))));
  }

  #tool(what, symbol, label, disabled, run) {
    return h("button.tool", {
      type: "button", title: label, "aria-label": label, disabled, data: { do: what }, on: { click: run },
    }, icon(symbol));
  }

  #roles() {
    return ROLES.map((role) => [role, `${t(`role.${role}`)}: ${t(`role.${role}.more`)}`]);
  }

  async #add() {
    const done = await form({
      id: "user-new",
      title: t("users.new"),
      fields: [
        field("name", t("users.name"), { autocomplete: "off", autocapitalize: "off", spellcheck: "false", required: true }),
        choice("role", t("users.role"), this.#roles(), "operator"),
        secret("password", t("users.password"), { autocomplete: "new-password" }, t("password.rule")),
      ],
      action: t("users.save"),
      submit: (values) => this.#send("POST", "/api/users", values),
    });
    if (done) this.#saved();
  }

  async #edit(name, role) {
    const done = await form({
      id: "user-edit",
      title: t("users.edit", { name }),
      fields: [
        choice("role", t("users.role"), this.#roles(), role),
        secret("password", t("users.password.keep"), { autocomplete: "new-password" }, t("password.rule")),
      ],
      action: t("users.save"),
      submit: (values) => {
        const change = {};
        if (values.role !== role) change.role = values.role;
        if (values.password) change.password = values.password;
        if (!Object.keys(change).length) return null;
        return this.#send("PATCH", address(name), change);
      },
    });
    if (done) this.#saved();
  }

  async #delete(name) {
    const yes = await confirm({
      id: "user-delete",
      title: t("users.delete.title", { name }),
      text: t("users.delete.text"),
      action: t("gallery.delete"),
    });
    if (!yes) return;
    try {
      await this.#client.request("DELETE", address(name));
    } catch (error) {
      complain(error);
    }
    this.#ask();
  }

  async #send(method, path, body) {
    try {
      await this.#client.request(method, path, body);
      return null;
    } catch (error) {
      const { title, text } = explain(error);
      return text || title;
    }
  }

  #saved() {
    notify("info", t("users.saved"));
    this.#ask();
  }
}

function address(name) {
  return `/api/users/${encodeURIComponent(name)}`;
}
