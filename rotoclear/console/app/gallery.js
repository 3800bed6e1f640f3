/** What is stored: to be played, fetched and deleted. */

import { confirm, open } from "./dialogs.js";
import { $, h, icon } from "./dom.js";
import { bytes, clock, moment } from "./format.js";
import { explain, language, onLanguage, t } from "./i18n.js";
import { complain, notify } from "./notices.js";
import { Thumbnails } from "./thumbnails.js";

const PAGE = 24;

/** Bytes up to which a file is fetched by the page, with progress; larger ones by the browser. */
const FETCHED = 256_000_000;

const KINDS = ["recording", "snapshot"];

export class Gallery {
  #session;
  #client;
  #views;
  #login;
  #thumbnails;
  #kind = "recording";
  #rows = [];
  #total = 0;
  #next = null;
  #asking = 0;
  #known = false;
  #stale = true;

  constructor(session, views, login) {
    this.#session = session;
    this.#client = session.client;
    this.#views = views;
    this.#login = login;
    this.#thumbnails = new Thumbnails(session.client);
    this.#makeKinds();
    $("gallery-refresh").addEventListener("click", () => this.refresh());
    $("gallery-more").addEventListener("click", () => this.#more());
    session.client.on("change", (changes) => {
      const ours = ["last-recording", "last-snapshot", "record", "storage-exists", "storage-name"];
      if (ours.some((key) => key in changes)) this.#changed();
    });
    session.client.on("auth", () => {
      this.#thumbnails.forget();
      this.#rows = [];
      this.#changed();
    });
    session.client.on("status", ({ status }) => status === "open" && this.#changed());
    views.on(() => this.#changed(false));
    onLanguage(() => {
      this.#makeKinds();
      this.#show();
    });
  }

  get #visible() {
    return this.#views.view === "gallery";
  }

  /** Ask anew now if somebody looks, else when somebody does. */
  #changed(stale = true) {
    this.#stale ||= stale;
    if (this.#visible && this.#stale) this.refresh();
    else if (this.#visible) this.#show();
  }

  /** Ask for the newest, at least as many as are shown. */
  async refresh() {
    this.#stale = false;
    if (!this.#client.connected) return this.#show();
    if (!this.#client.may("Media_r", "Media_rw")) {
      this.#rows = [];
      this.#known = false;
      return this.#show();
    }
    await this.#ask(`limit=${Math.min(500, Math.max(PAGE, this.#rows.length))}`, []);
  }

  async #more() {
    await this.#ask(`limit=${PAGE}&before=${encodeURIComponent(this.#next)}`, this.#rows);
  }

  async #ask(query, before) {
    this.#asking += 1;
    const number = this.#asking;
    try {
      const page = await this.#client.request("GET", `/api/${this.#kind}s?${query}`);
      if (number !== this.#asking) return;
      this.#rows = [...before, ...page[`${this.#kind}s`]];
      this.#total = page.total;
      this.#next = page.next;
      this.#known = true;
      this.#show();
    } catch (error) {
      if (number !== this.#asking) return;
      this.#stale = true;
      notify("bad", t("gallery.failed"), explain(error).text);
    }
  }

  #makeKinds() {
    const set = $("gallery-kind");
    set.replaceChildren(set.firstElementChild, ...KINDS.map((kind) => h("label", {},
      h("input", {
        type: "radio", name: "gallery-kind", value: kind, id: `gallery-${kind}s`,
        checked: kind === this.#kind,
        on: {
          change: () => {
            this.#kind = kind;
            this.#rows = [];
            this.#known = false;
            this.#show();
            this.refresh();
          },
        },
      }), h("span", {}, t(`gallery.${kind}s`)))));
  }

  #show() {
    const may = this.#client.may("Media_r", "Media_rw");
    const focus = document.activeElement?.closest?.("#gallery-list li")?.dataset.id;
    const name = document.activeElement?.dataset?.do;
    const before = new Map([...$("gallery-list").children].map((card) => [card.dataset.id, card]));
    $("gallery-list").replaceChildren(...this.#rows.map((row) => {
      const same = JSON.stringify([row, language(), this.#client.permissions]);
      const old = before.get(row.id);
      if (old?.made === same) return old;
      const card = this.#card(row);
      card.made = same;
      return card;
    }));
    if (focus && name) {
      $("gallery-list").querySelector(`[data-id="${CSS.escape(focus)}"] [data-do="${name}"]`)?.focus();
    }
    $("gallery-count").textContent = this.#known && this.#rows.length
      ? t("gallery.count", { shown: this.#rows.length, total: this.#total }) : "";
    $("gallery-more").hidden = !this.#next || !this.#rows.length;
    const empty = $("gallery-empty");
    const login = this.#client.connected && !may;
    empty.hidden = !(login || (this.#known && !this.#rows.length));
    if (login) {
      const button = h("button.button.primary", { type: "button", on: { click: this.#login } }, t("login.login"));
      empty.replaceChildren(icon("lock"), h("strong", {}, t("gallery.login")),
        this.#client.authenticated ? "" : button);
    } else {
      empty.replaceChildren(icon("gallery"), h("strong", {}, t(`gallery.empty.${this.#kind}`)),
        h("span", {}, t("gallery.empty.more")));
    }
  }

  #card(row) {
    const film = this.#kind === "recording";
    const when = moment(row.began, language());
    const playable = row.available && row.state !== "damaged";
    const title = t(`gallery.${this.#kind}.of`, { moment: when });
    const length = film && row.state !== "recording" ? clock(row.duration) : "";
    const label = `${t(film ? "gallery.play" : "gallery.view")}: ${title} ${length}`.trim();
    const thumb = h("button.thumb", {
      type: "button", disabled: !playable, "aria-label": label,
      data: { id: row.id, url: row.url, do: "view" },
      on: { click: () => this.#view(row) },
    },
    h("span.i", {}, icon(film ? "film" : "snap")),
    film && playable ? h("span.over", {}, icon("play")) : null,
    length ? h("span.length", {}, length) : null);
    if (playable) this.#thumbnails.want(thumb);
    const facts = [
      row.state === "recording" ? null : bytes(row.size, language()),
      `${row.width} × ${row.height}`,
      row.camera ? t("camera.camera", { camera: row.camera }) : null,
    ].filter(Boolean).join(" · ");
    const by = [row.volume, row.user && t("gallery.by", { user: row.user })].filter(Boolean).join(" · ");
    const bad = row.state !== "complete" ? t(`gallery.state.${row.state}`)
      : row.available ? "" : t("gallery.away", { volume: row.volume });
    const may = this.#client.may("Media_rw");
    const why = may ? "" : t("why.role", { role: t(`role.${this.#client.role}`) });
    return h("li.card", { data: { id: row.id, state: row.state, kind: this.#kind } },
      thumb,
      h("div.what", {},
        h("strong", {}, when),
        h("span", {}, facts),
        h("span", { title: row.file }, by),
        bad ? h("span.bad", { title: row.reason }, bad) : null),
      h("div.actions", {},
        this.#tool("view", film ? "play" : "live", t(film ? "gallery.play" : "gallery.view"), title, !playable,
          () => this.#view(row)),
        this.#tool("download", "download", t("gallery.download"), title, !row.available,
          (event) => this.#download(row, event.currentTarget.closest("li"))),
        this.#tool("delete", "trash", why || t("gallery.delete"), title, !may || row.state === "recording",
          () => this.#delete(row, when))));
  }

  #tool(what, symbol, label, title, disabled, run) {
    return h(`button.tool${what === "delete" ? ".danger" : ""}`, {
      type: "button", title: label, "aria-label": `${label}: ${title}`, disabled,
      data: { do: what }, on: { click: run },
    }, icon(symbol));
  }

  /** Open a snapshot by its id. */
  async viewSnapshot(id) {
    const url = `/api/snapshots/${id}`;
    const page = await this.#client.request("GET", "/api/snapshots?limit=50").catch(() => null);
    const row = page?.snapshots.find((one) => one.id === id);
    if (row) this.#view({ ...row, url }, "snapshot");
  }

  async #view(row, kind = this.#kind) {
    const film = kind === "recording";
    const title = t(`gallery.${kind}.of`, { moment: moment(row.began, language()) });
    let address;
    try {
      address = await this.#client.ticket(row.url);
    } catch (error) {
      complain(error);
      return;
    }
    await open({
      id: "viewer",
      className: "viewer",
      label: title,
      make: (close) => {
        const problem = h("p.problem", { role: "alert" });
        const broken = () => {
          problem.textContent = t("gallery.broken");
        };
        const shown = film
          ? h("video", { id: "viewer-video", controls: true, autoplay: true, playsinline: true, src: address, on: { error: broken } })
          : h("img", { id: "viewer-image", alt: title, src: address, on: { error: broken } });
        return h("div.content", {},
          h("header", {},
            h("h2", {}, title),
            h("button.tool", {
              type: "button", id: "viewer-download", title: t("gallery.download"),
              "aria-label": t("gallery.download"), on: { click: () => this.#download(row, null) },
            }, icon("download")),
            h("button.tool", {
              type: "button", id: "viewer-close", title: t("close"), "aria-label": t("close"),
              on: { click: () => close() },
            }, icon("close"))),
          problem, shown);
      },
    });
  }

  /** To the disk of whoever asks: with progress here, or in the browser's own list if it is large. */
  async #download(row, card) {
    const name = row.file.split("/").pop();
    try {
      if (row.size > FETCHED || !card) {
        save(await this.#client.ticket(row.url), name);
        return;
      }
      if (card.querySelector(".progress")) return;
      const stop = new AbortController();
      const bar = h("progress", { max: row.size || 1, value: 0, "aria-label": t("gallery.progress", { name }) });
      const share = h("span", {}, "0 %");
      const line = h("div.progress", {}, bar, share, h("button.tool", {
        type: "button", "aria-label": t("login.cancel"), title: t("login.cancel"),
        on: { click: () => stop.abort() },
      }, icon("close")));
      card.append(line);
      try {
        const blob = await this.#fetch(row.url, stop.signal, (loaded) => {
          bar.value = loaded;
          share.textContent = `${Math.floor((100 * loaded) / (row.size || 1))} %`;
        });
        const address = URL.createObjectURL(blob);
        save(address, name);
        setTimeout(() => URL.revokeObjectURL(address), 60_000);
        notify("info", t("gallery.saved", { name }));
      } finally {
        line.remove();
      }
    } catch (error) {
      if (error.name !== "AbortError") complain(error);
    }
  }

  async #fetch(url, signal, progress) {
    const answer = await this.#client.fetch(url, { signal });
    const parts = [];
    let loaded = 0;
    const reader = answer.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      loaded += value.length;
      progress(loaded);
    }
    return new Blob(parts, { type: answer.headers.get("Content-Type") ?? "" });
  }

  async #delete(row, when) {
    // Of what is on a volume that is away, or lost for good, only the entry can be removed.
    const away = !row.available && row.state !== "recording";
    const yes = await confirm({
      id: "delete",
      title: t("gallery.delete.title"),
      text: t(`gallery.${away ? "forget" : "delete"}.${this.#kind}`, { moment: when, volume: row.volume }),
      action: t("gallery.delete"),
    });
    if (!yes) return;
    try {
      await this.#client.request("DELETE", away ? `${row.url}?forget=true` : row.url);
      notify("info", t("gallery.deleted"));
    } catch (error) {
      complain(error);
    }
    this.refresh();
  }
}

function save(address, name) {
  const link = h("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}
