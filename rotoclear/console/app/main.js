/** Puts the page together. */

import { RotoclearClient } from "../rotoclear-client.js";
import { Account } from "./account.js";
import { Dock } from "./dock.js";
import { icon } from "./dom.js";
import { Gallery } from "./gallery.js";
import { translate } from "./i18n.js";
import { complain } from "./notices.js";
import { Panels } from "./panels.js";
import { Session, kept } from "./session.js";
import { help, listen } from "./shortcuts.js";
import { Stage } from "./stage.js";
import { Status } from "./status.js";
import { Users } from "./users.js";
import { Views } from "./views.js";

translate(document);
for (const element of document.querySelectorAll("[data-icon]")) {
  element.append(icon(element.dataset.icon));
}

const client = new RotoclearClient(undefined, {
  token: kept(),
  // Somebody stands before it and waits: try more often than a program would.
  minDelay: 500,
  maxDelay: 3000,
  connectTimeout: 5000,
  heartbeat: 10000,
  answerTimeout: 8000,
});
const session = new Session(client);
const views = new Views();
const account = new Account(session, help);

new Status(session);
new Stage(session, views, account.login);
new Panels(session, account.login);
const gallery = new Gallery(session, views, account.login);
const dock = new Dock(session, (id) => gallery.viewSnapshot(id));
new Users(session, views);
listen(dock, views, client);

client.on("refused", complain);
client.on("error", complain);
client.connect();
