import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { RotoclearClient } from "../../../rotoclear/console/rotoclear-client.js";
import { Clock, settle } from "./clock.mjs";
import { Server } from "./server.mjs";

let clock;
let server;
let client;
let told;

beforeEach(() => {
  clock = new Clock();
  clock.install();
  server = new Server();
  make();
});

afterEach(() => {
  client.close();
  clock.uninstall();
});

function make(options = {}) {
  const { WebSocket } = server;
  client = new RotoclearClient("ws://device/api/v1", { WebSocket, random: () => 1, ...options });
  told = { status: [], auth: [], change: [], refused: [], settled: [], error: [] };
  for (const [event, list] of Object.entries(told)) client.on(event, (detail) => list.push(detail));
}

async function connected(...login) {
  client.connect(...login);
  await settle();
  assert.equal(client.status, "open");
}

// -- connecting and logging in ---------------------------------------------------------------

test("it logs in, then asks for everything", async () => {
  assert.equal(await client.connect("anna", "secret"), client);
  const [login, query] = server.socket.sent;
  assert.deepEqual({ ...login, id: 0 }, { id: 0, username: "anna", password: "secret" });
  assert.equal(query.get, "*");
  assert.deepEqual({ ...client.state }, server.state);
  assert.deepEqual([client.username, client.role, client.token], ["anna", "operator", "t1"]);
  assert.ok(client.may("User_rw", "Device_rw"));
  assert.ok(!client.may("User_rw"));
});

test("without a login it is anonymous", async () => {
  await connected();
  assert.equal(client.authenticated, false);
  assert.equal(client.state.brightness, 50);
});

test("a refused login is told, and the connection stays", async () => {
  await assert.rejects(client.connect("anna", "wrong"), { error: "Invalid credentials" });
  assert.equal(client.status, "open");
  assert.equal(client.state.brightness, 50);
});

test("too many attempts tell when to come back", async () => {
  server.logins.often = { error: "Too many attempts", message: "wait", "retry-after": 42 };
  await connected();
  await assert.rejects(client.login("anna", "often"), { retryAfter: 42 });
});

test("a login that is refused leaves the one before", async () => {
  await connected("anna", "secret");
  await assert.rejects(client.login("anna", "wrong"));
  assert.equal(client.username, "anna");
  await server.crash();
  server.up = true;
  await clock.advance(1000);
  assert.equal(client.username, "anna");
});

test("it logs in again with the token, never with the password", async () => {
  await connected("anna", "secret");
  await server.crash();
  server.up = true;
  server.state.brightness = 61;
  await clock.advance(1000);
  assert.equal(server.sockets.length, 2);
  const [login] = server.socket.sent;
  assert.deepEqual({ ...login, id: 0 }, { id: 0, token: "t1" });
  assert.equal(client.authenticated, true);
  assert.equal(client.state.brightness, 61);
  assert.ok(!JSON.stringify(server.socket.sent).includes("secret"));
});

test("a token that has ended makes it anonymous, with the reason", async () => {
  await connected("anna", "secret");
  await server.crash();
  server.up = true;
  delete server.logins.t1;
  await clock.advance(1000);
  assert.equal(client.status, "open");
  assert.equal(client.authenticated, false);
  assert.equal(told.auth.at(-1).error.error, "Invalid credentials");
});

test("a token can be handed over", async () => {
  make({ token: "t1" });
  await connected();
  assert.equal(client.username, "anna");
});

test("changed rights are taken, and what may not be read is forgotten", async () => {
  await connected("anna", "secret");
  server.state = { brightness: 50 };
  server.socket.say({ authenticated: false, permissions: ["Device_r"] });
  await settle();
  assert.equal(client.authenticated, false);
  assert.deepEqual(client.permissions, ["Device_r"]);
  assert.deepEqual({ ...client.state }, { brightness: 50 });
  assert.equal(told.change.at(-1).record, undefined);
  assert.equal(told.auth.at(-1).error.error, "Logged out");
});

// -- connecting again ------------------------------------------------------------------------

test("it tries again, each time after twice as long, up to a limit", async () => {
  server.up = false;
  client.connect();
  await settle();
  const delays = [];
  for (let attempt = 0; attempt < 7; attempt += 1) {
    const before = server.sockets.length;
    const { delay } = told.status.at(-1);
    delays.push(delay);
    await clock.advance(delay - 1);
    assert.equal(server.sockets.length, before, "too early");
    await clock.advance(1);
    assert.equal(server.sockets.length, before + 1);
  }
  assert.deepEqual(delays, [1000, 2000, 4000, 8000, 16000, 30000, 30000]);
});

test("half of the delay is chance", async () => {
  make({ random: () => 0 });
  server.up = false;
  client.connect();
  await settle();
  assert.equal(told.status.at(-1).delay, 500);
});

test("a success begins the delays anew", async () => {
  server.up = false;
  client.connect();
  await clock.advance(7500);
  server.up = true;
  await clock.advance(10000);
  assert.equal(client.status, "open");
  await server.crash();
  assert.equal(told.status.at(-1).delay, 1000);
});

test("a server that accepts and says nothing is no success", async () => {
  server.mute = true;
  client.connect();
  await clock.advance(15000);
  assert.equal(told.status.at(-1).status, "waiting");
  assert.equal(told.status.at(-1).delay, 1000);
  await clock.advance(16000);
  assert.equal(told.status.at(-1).delay, 2000);
});

test("a handshake that takes too long is given up", async () => {
  server.silent = true;
  client.connect();
  await clock.advance(10000);
  assert.equal(told.status.at(-1).status, "waiting");
});

test("a connection without a sign of life is given up", async () => {
  await connected();
  server.mute = true;
  await clock.advance(15000);
  assert.equal(client.status, "open");
  assert.deepEqual(server.socket.sent.at(-1).get, []);
  await clock.advance(15000);
  assert.equal(client.status, "waiting");
  server.mute = false;
  await clock.advance(1000);
  assert.equal(client.status, "open");
});

test("a server that speaks is not asked for signs of life", async () => {
  await connected();
  const before = server.socket.sent.length;
  for (let beat = 0; beat < 5; beat += 1) {
    await clock.advance(10000);
    server.socket.say({ brightness: beat });
  }
  assert.equal(server.socket.sent.length, before);
});

test("close() ends it for good", async () => {
  await connected("anna", "secret");
  client.close();
  await clock.advance(100000);
  assert.equal(server.sockets.length, 1);
  assert.equal(client.status, "closed");
  await assert.rejects(client.set({ brightness: 1 }), { error: "Not connected" });
});

test("retry() does not wait", async () => {
  await connected();
  await server.crash();
  server.up = true;
  client.retry();
  await settle();
  assert.equal(client.status, "open");
});

// -- reading and writing ---------------------------------------------------------------------

test("set() resolves with what was applied, when it is confirmed", async () => {
  await connected();
  server.confirms = false;
  let applied = null;
  client.set({ brightness: 75 }).then((values) => {
    applied = values;
  });
  await settle();
  assert.equal(applied, null);
  assert.ok(client.pending("brightness"));
  server.socket.say({ brightness: 75 }); // somebody else's broadcast is no confirmation
  await settle();
  assert.equal(applied, null);
  server.socket.say({ id: server.socket.sent.at(-1).id, brightness: 75, info: ["brightness"] });
  await settle();
  assert.deepEqual(applied, { brightness: 75 });
  assert.ok(!client.pending("brightness"));
  assert.deepEqual(told.settled, ["brightness"]);
});

test("set() tells what was refused and what was not", async () => {
  await connected();
  const failed = await client.set({ brightness: 75, contrast: 150, gain: 200 }).catch((e) => e);
  assert.equal(failed.error, "Invalid value");
  assert.equal(failed.key, "contrast");
  assert.equal(failed.message, "Value must be between 0 and 100");
  assert.deepEqual(failed.refusals.map(({ key }) => key), ["contrast", "gain"]);
  assert.deepEqual(failed.applied, { brightness: 75 });
  assert.deepEqual(told.refused.map(({ key }) => key), ["contrast", "gain"]);
});

test("get() asks, and tells what it cannot get", async () => {
  await connected();
  assert.deepEqual(await client.get("brightness", "record"), { brightness: 50, record: false });
  await assert.rejects(client.get(["brightness", "nothing"]), { error: "Unknown key", key: "nothing" });
});

test("an answer that does not come is an error", async () => {
  await connected();
  server.confirms = false;
  const failed = client.set({ brightness: 1 }).catch((error) => error);
  await clock.advance(15000);
  assert.equal((await failed).error, "No answer");
});

test("watch() tells the value now and whenever it changes", async () => {
  const seen = [];
  await connected();
  const end = client.watch("brightness", (value) => seen.push(value));
  server.socket.say({ brightness: 60 });
  server.socket.say({ brightness: 60, contrast: 1 });
  server.socket.say({ brightness: 61 });
  end();
  server.socket.say({ brightness: 62 });
  assert.deepEqual(seen, [50, 60, 61]);
});

test("what is not JSON is told, and hurts nobody", async () => {
  await connected();
  server.socket.onmessage({ data: "{" });
  server.socket.say({ brightness: 9 });
  assert.equal(told.error[0].error, "Invalid message");
  assert.equal(client.state.brightness, 9);
});

// -- while there is no connection ------------------------------------------------------------

test("settings wait, the newest of each key, and go out after the login in one message", async () => {
  await connected("anna", "secret");
  await server.crash();
  const first = client.set({ brightness: 10, contrast: 20 });
  const second = client.set({ brightness: 30 });
  server.up = true;
  await clock.advance(1000);
  assert.deepEqual(server.updates, [{ contrast: 20, brightness: 30 }]);
  assert.ok("token" in server.socket.sent[0]);
  assert.deepEqual(await first, { brightness: 30, contrast: 20 });
  assert.deepEqual(await second, { brightness: 30 });
});

test("a step never waits: not one is sent later", async () => {
  await connected("anna", "secret");
  await server.crash();
  await assert.rejects(client.startRecording(), { error: "Not connected" });
  await assert.rejects(client.takeSnapshot(), { error: "Not connected" });
  await assert.rejects(client.set({ brightness: 10, record: true }), { error: "Not connected" });
  server.up = true;
  await clock.advance(1000);
  assert.equal(client.status, "open");
  assert.deepEqual(server.updates, []);
});

test("what was sent and not answered fails, and is not sent again", async () => {
  await connected();
  server.confirms = false;
  const record = client.startRecording().catch((error) => error);
  const setting = client.set({ brightness: 1 }).catch((error) => error);
  await server.crash();
  assert.equal((await record).error, "Not connected");
  assert.equal((await setting).error, "Not connected");
  server.up = true;
  await clock.advance(1000);
  assert.deepEqual(server.updates, []);
});

test("only so many settings wait", async () => {
  make({ queueLimit: 2 });
  await connected();
  await server.crash();
  client.set({ brightness: 1 });
  client.set({ contrast: 2 });
  await assert.rejects(client.set({ gain: 3 }), { error: "Queue full", key: "gain" });
  client.set({ brightness: 4 });
  server.up = true;
  await clock.advance(1000);
  assert.deepEqual(server.updates, [{ contrast: 2, brightness: 4 }]);
});

test("what has waited for too long is not sent", async () => {
  await connected();
  await server.crash();
  const old = client.set({ brightness: 1 }).catch((error) => error);
  await clock.advance(50000);
  client.set({ contrast: 2 });
  server.up = true;
  await clock.advance(30000);
  assert.equal((await old).error, "Not connected");
  assert.deepEqual(server.updates, [{ contrast: 2 }]);
});

test("what waited can be refused, key by key", async () => {
  await connected();
  await server.crash();
  const bad = client.set({ brightness: 101 }).catch((error) => error);
  const good = client.set({ contrast: 2 });
  server.up = true;
  await clock.advance(1000);
  assert.equal((await bad).error, "Invalid value");
  assert.deepEqual(await good, { contrast: 2 });
});

test("nobody need wait for anything", async (context) => {
  const unhandled = context.mock.fn();
  process.on("unhandledRejection", unhandled);
  server.confirms = false;
  client.connect("anna", "wrong");
  await settle();
  client.set({ brightness: 1 });
  client.startRecording();
  await server.crash();
  client.takeSnapshot();
  client.set({ brightness: 2 });
  client.close();
  await settle();
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", unhandled);
  assert.equal(unhandled.mock.callCount(), 0);
});

// -- sliders ---------------------------------------------------------------------------------

test("adjust() sends at once, then the newest, 20 times a second at most", async () => {
  await connected();
  for (let value = 0; value < 100; value += 1) {
    client.adjust("brightness", value);
    await clock.advance(10);
  }
  await clock.advance(200);
  const values = server.updates.map(({ brightness }) => brightness);
  assert.equal(values[0], 0);
  assert.equal(values.at(-1), 99);
  assert.ok(values.length >= 10 && values.length <= 20, String(values.length));
  assert.deepEqual(values, [...values].sort((a, b) => a - b));
  assert.equal(client.state.brightness, 99);
});

test("adjust() puts keys together, and has one message on its way", async () => {
  await connected();
  server.confirms = false;
  client.adjust("brightness", 1);
  client.adjust("contrast", 1);
  client.adjust("brightness", 2);
  await clock.advance(1000);
  assert.deepEqual(server.updates, [{ brightness: 1 }], "the first is not answered yet");
  server.confirm(server.socket, server.socket.sent.at(-1));
  await clock.advance(60);
  assert.deepEqual(server.updates, [{ brightness: 1 }, { brightness: 2, contrast: 1 }]);
  assert.ok(client.pending("brightness"));
  assert.deepEqual(told.settled, []);
  server.confirm(server.socket, server.socket.sent.at(-1));
  await settle();
  assert.deepEqual(told.settled.sort(), ["brightness", "contrast"]);
});

test("adjust() tells what is refused", async () => {
  await connected();
  client.adjust("brightness", 101);
  await settle();
  assert.deepEqual(told.refused.map(({ error, key }) => [error, key]), [["Invalid value", "brightness"]]);
  assert.deepEqual(told.settled, ["brightness"]);
});

test("where a hand left a slider survives the connection", async () => {
  await connected("anna", "secret");
  server.confirms = false;
  client.adjust("brightness", 1);
  client.adjust("brightness", 2);
  client.adjust("contrast", 3);
  await server.crash();
  assert.ok(client.pending("brightness"));
  client.adjust("contrast", 4);
  server.confirms = server.up = true;
  await clock.advance(1000);
  assert.deepEqual(server.updates, [{ brightness: 2, contrast: 4 }]);
  assert.deepEqual(told.refused.map(({ error }) => error), []);
});

test("a step is no slider", async () => {
  await connected();
  assert.throws(() => client.adjust("record", true), TypeError);
});
