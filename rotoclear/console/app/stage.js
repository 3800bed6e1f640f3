/** The picture, and what is said in its place when there is none. */

import { $, h, icon } from "./dom.js";
import { onLanguage, t } from "./i18n.js";
import { LivePicture } from "./live.js";

export class Stage {
  #session;
  #views;
  #login;
  #live;
  #said = "";

  constructor(session, views, login) {
    this.#session = session;
    this.#views = views;
    this.#login = login;
    const mjpeg = new URLSearchParams(location.search).get("picture") === "mjpeg";
    this.#live = new LivePicture(session.client, $("picture"), $("picture-mjpeg"),
      () => this.#show(), { mjpeg });
    session.on(() => this.#decide());
    views.on(() => this.#decide());
    onLanguage(() => this.#show());
    document.addEventListener("visibilitychange", () => this.#decide());
    $("stage").addEventListener("pointerdown", () => {
      // On a touch screen nothing hovers: a tap shows the way out of the wall display.
      $("stage").dataset.touched = "";
      setTimeout(() => delete $("stage").dataset.touched, 4000);
    });
    $("stage").addEventListener("dblclick", () => views.toggleWall());
  }

  /** Pictures are fetched only for who looks. */
  #decide() {
    const { client } = this.#session;
    const seen = this.#views.live && document.visibilityState !== "hidden";
    if (seen && client.connected && client.may("Media_r")) this.#live.start();
    else if (!seen || client.connected || !this.#session.online) this.#live.stop();
    this.#show();
  }

  #show() {
    const { client, online } = this.#session;
    const { state } = client;
    const stage = $("stage");
    const camera = state["main-camera"] ?? 1;
    const message = this.#message(camera);
    stage.dataset.state = message?.state ?? this.#live.state;
    stage.dataset.way = this.#live.way;
    $("picture").setAttribute("aria-label", t("live.picture", { camera }));
    $("picture-mjpeg").alt = t("live.picture", { camera });
    this.#say(message);
    $("stage-caption").textContent = message || this.#live.state !== "live" ? "" : this.#caption(camera);
    const recording = online && (state.record === true || state.record === "pause");
    $("stage-badge").hidden = !recording;
  }

  #message(camera) {
    const { client, online } = this.#session;
    if (!online) {
      if (client.status === "connecting" && !Object.keys(client.state).length) {
        return { state: "connecting", icon: "live", title: t("connection.connecting") };
      }
      return { state: "offline", icon: "warning", title: t("live.offline"), text: t("live.offline.more") };
    }
    if (!client.authenticated && !client.may("Media_r")) {
      return {
        state: "login", icon: "lock", title: t("live.login"), text: t("live.login.more"), login: true,
      };
    }
    if (!client.may("Media_r")) return { state: "denied", icon: "lock", title: t("live.role") };
    if (client.state[`cam${camera}-exists`] === false) {
      return {
        state: "absent", icon: "live", title: t("live.camera", { camera }), text: t("live.camera.more"),
      };
    }
    if (this.#live.state === "stalled") {
      return { state: "stalled", icon: "warning", title: t("live.stalled") };
    }
    if (this.#live.state === "connecting") {
      return { state: "connecting", icon: "live", title: t("live.connecting") };
    }
    return null;
  }

  #say(message) {
    const said = JSON.stringify(message);
    if (said === this.#said) return;
    this.#said = said;
    const area = $("stage-message");
    if (!message) {
      area.replaceChildren();
      return;
    }
    area.replaceChildren(icon(message.icon), h("strong", {}, message.title));
    if (message.text) area.append(h("p", {}, message.text));
    if (message.login) {
      area.append(h("button.button.primary", {
        type: "button", id: "stage-login", on: { click: this.#login },
      }, t("login.login")));
    }
  }

  #caption(camera) {
    const [width, height] = this.#live.size;
    const parts = [t("camera.camera", { camera })];
    if (width) parts.push(`${width} × ${height}`);
    if (this.#live.rate) parts.push(t("live.fps", { fps: this.#live.rate }));
    if (this.#live.way === "mjpeg") parts.push(t("live.compatible"));
    return parts.join(" · ");
  }
}
