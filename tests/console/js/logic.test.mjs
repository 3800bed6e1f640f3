import assert from "node:assert/strict";
import { test } from "node:test";

import { bytes, clock, moment, plain, size } from "../../../rotoclear/console/app/format.js";
import { Held } from "../../../rotoclear/console/app/held.js";
import { explain, t } from "../../../rotoclear/console/app/i18n.js";
import { hint, kind, obstacle, panels } from "../../../rotoclear/console/app/keys.js";
import { RunningTime } from "../../../rotoclear/console/app/runtime.js";
import de from "../../../rotoclear/console/app/words-de.js";
import en from "../../../rotoclear/console/app/words-en.js";

// -- a slider under the finger ---------------------------------------------------------------

test("a value that is told is shown", () => {
  const held = new Held(50);
  held.told(60);
  assert.equal(held.shown, 60);
});

test("it never jumps back while it is held", () => {
  const held = new Held(50);
  held.grasp();
  held.move(70);
  held.told(60); // an older value returns
  assert.equal(held.shown, 70);
  held.answered();
  held.told(65);
  assert.equal(held.shown, 70);
  held.told(70);
  held.release();
  assert.equal(held.shown, 70);
});

test("let go, it waits for the answer to the last value", () => {
  const held = new Held(50);
  held.grasp();
  held.move(70);
  held.move(80);
  held.release();
  held.told(70);
  assert.equal(held.shown, 80);
  held.told(80);
  held.answered();
  assert.equal(held.shown, 80);
});

test("a refused value gives way to what is so", () => {
  const held = new Held(50);
  held.move(70);
  held.answered();
  assert.equal(held.shown, 50);
});

test("what somebody else did meanwhile counts afterwards", () => {
  const held = new Held(50);
  held.grasp();
  held.told(20);
  assert.equal(held.shown, 50);
  held.release();
  assert.equal(held.shown, 20);
});

// -- the running time ------------------------------------------------------------------------

test("the running time leaves out the pauses, and begins anew", () => {
  let now = 1000;
  const time = new RunningTime(() => now);
  time.told(false);
  time.told(true);
  now += 5000;
  assert.equal(time.seconds, 5);
  time.told("pause");
  now += 60000;
  assert.equal(time.seconds, 5);
  time.told(true);
  time.told(true);
  now += 2000;
  assert.equal(time.seconds, 7);
  time.told(false);
  now += 9000;
  time.told(true);
  now += 1000;
  assert.equal(time.seconds, 1);
});

test("a recording that was running already", () => {
  let now = 0;
  const time = new RunningTime(() => now);
  time.told(true);
  now += 1000;
  time.found(90);
  now += 1000;
  assert.equal(time.seconds, 91);
  time.told(false);
  time.found(5);
  time.told(true);
  assert.equal(time.seconds, 0);
});

// -- the key table ---------------------------------------------------------------------------

const key = (more) => ({ type: "integer", minimum: 0, maximum: 100, group: "Image quality", write: ["Device_rw"], writable: true, ...more });
const TABLE = {
  "cam1-light": key({ type: "boolean", group: "Camera control" }),
  "cam1-sensor": key({ minimum: 1, maximum: 2, group: "Camera control" }),
  resolution: key({ type: "size", choices: ["640x480"], group: "Video settings" }),
  brightness: key(),
  "auto-exposure": key({ type: "mode", choices: [false, true, "aperture"], group: "Auto settings" }),
  "noise-supression": key({ type: "boolean", choices: [false, true], group: "Auto settings" }),
  record: key({ type: "recording", group: "Recording" }),
  "jpeg-quality": key({ group: "Recording" }),
  "storage-free": key({ write: [], writable: false, group: "Storage" }),
  "vendor-wiper": key({ type: "boolean", group: "ACME wiper" }),
  "vendor-level": key({ write: [], writable: false, group: "ACME wiper" }),
};

test("each key has its place, a driver's too", () => {
  assert.deepEqual(panels(TABLE).map(({ id, title, keys }) => [id, title, keys]), [
    ["video", null, ["cam1-sensor", "resolution"]],
    ["image", null, ["brightness"]],
    ["auto", null, ["auto-exposure", "noise-supression"]],
    ["storing", null, ["jpeg-quality"]],
    ["group-acme-wiper", "ACME wiper", ["vendor-wiper", "vendor-level"]],
  ]);
  assert.deepEqual(panels({}), []);
});

test("each kind of value has its control", () => {
  const kinds = Object.fromEntries(Object.entries(TABLE).map(([name, one]) => [name, kind(name, one)]));
  assert.equal(kinds.brightness, "slider");
  assert.equal(kinds["cam1-sensor"], "segments");
  assert.equal(kinds.resolution, "choice");
  assert.equal(kinds["auto-exposure"], "choice");
  assert.equal(kinds["noise-supression"], "switch");
  assert.equal(kinds["vendor-level"], "value");
  assert.equal(kind("auto-exposure", key({ type: "mode", choices: [false, true] })), "switch");
  assert.equal(kind("vendor-count", key({ maximum: 2 ** 40 })), "number");
  assert.equal(kind("vendor-name", key({ type: "text" })), "text");
  assert.equal(kind("resolution", key({ type: "size" })), "text");
  assert.equal(kind("pip-mode", key({ type: "choice", choices: [] })), "layout");
});

const STATE = {
  "main-camera": 1, "cam1-exists": true, "cam2-exists": false, record: false, "storage-exists": true,
};
const OPERATOR = { online: true, authenticated: true, role: "operator", state: STATE };

function against(name, situation = {}, description = key()) {
  const all = { ...OPERATOR, ...situation, state: { ...STATE, ...situation.state } };
  return obstacle(name, description, all)?.word ?? null;
}

test("why something cannot be set", () => {
  const denied = key({ writable: false });
  assert.equal(against("brightness"), null);
  assert.equal(against("brightness", { online: false }), "why.offline");
  assert.equal(against("brightness", { authenticated: false }, denied), "why.login");
  assert.equal(against("brightness", { role: "viewer" }, denied), "why.role");
  assert.equal(against("cam1-light"), null);
  assert.equal(against("cam2-light"), "why.camera");
  assert.equal(against("cam2-sensor"), "why.camera");
  assert.equal(against("fps"), null);
  assert.equal(against("fps", { state: { record: "pause" } }), "why.recording");
  assert.equal(against("resolution", { state: { record: true } }), "why.recording");
  assert.equal(against("record"), null);
  assert.equal(against("record", { state: { "main-camera": 2 } }), "why.camera");
  assert.equal(against("record", { state: { "main-camera": 2, record: true } }), null);
  assert.equal(against("snap", { state: { "main-camera": 2, record: true } }), "why.camera");
  assert.equal(against("snap", { state: { "storage-exists": false } }), "why.storage");
  // Who may not read the key does not find it in the table.
  assert.equal(against("record", { authenticated: false }, undefined), null);
  assert.equal(obstacle("record", undefined, { ...OPERATOR, authenticated: false }).word, "why.login");
});

test("what has no effect at the moment says so", () => {
  assert.equal(hint("gain", { "auto-exposure": true }), "hint.exposure");
  assert.equal(hint("gain", { "auto-exposure": false }), null);
  assert.equal(hint("red-gain", { "auto-white-balance": "daylight" }), "hint.balance");
  assert.equal(hint("brightness", {}), null);
});

// -- words -----------------------------------------------------------------------------------

test("every language has all words, with the same names to be filled in", () => {
  assert.deepEqual(Object.keys(de).sort(), Object.keys(en).sort());
  for (const word of Object.keys(en)) {
    const names = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
    assert.deepEqual(names(de[word]), names(en[word]), word);
    assert.ok(de[word].trim() && en[word].trim(), word);
  }
});

test("names are filled in", () => {
  assert.equal(t("camera.camera", { camera: 2 }), "Camera 2");
  assert.equal(t("no.such.word"), "no.such.word");
});

test("an error says what, in words, and why", () => {
  const error = { error: "Invalid value", key: "brightness", message: "Value must be between 0 and 100" };
  assert.deepEqual(explain(error), {
    title: "Brightness: Value not allowed", text: "Value must be between 0 and 100",
  });
  assert.deepEqual(explain({ error: "Never heard of", message: "" }), { title: "It did not work", text: "" });
  assert.equal(explain({ error: "Device error", key: "vendor-wiper-speed" }).title, "Wiper speed: The device has failed");
});

test("numbers and times are for people", () => {
  assert.equal(clock(3723.9), "01:02:03");
  assert.equal(clock(-1), "00:00:00");
  assert.equal(clock(360000), "100:00:00");
  assert.equal(bytes(0, "en"), "0 B");
  assert.equal(bytes(999_600, "en"), "1.0 MB");
  assert.equal(bytes(24_000_000_000, "en"), "24.0 GB");
  assert.equal(bytes(7_202_542, "de"), "7,2 MB");
  assert.equal(bytes(123_456_789, "en"), "123 MB");
  assert.equal(size("1920x1080"), "1920 × 1080");
  assert.equal(plain("shutter-priority"), "Shutter priority");
  assert.match(moment("2026-11-28T01:32:44.668Z", "en"), /2026/);
});
