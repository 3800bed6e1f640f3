/** What the server's key table means for the page: which controls there are, and which may be used. */

/** The panels beside the picture, and the keys in each. Keys of drivers get panels of their own. */
export const PANELS = [
  { id: "video", keys: ["cam1-sensor", "cam2-sensor", "resolution", "fps", "pip-mode"] },
  { id: "image", group: "Image quality" },
  { id: "auto", group: "Auto settings" },
  { id: "storing", keys: ["jpeg-quality"] },
];

/** What has a place elsewhere on the page. */
const ELSEWHERE = new Set([
  "cam1-light", "cam2-light", "cam1-exists", "cam2-exists", "main-camera", "record", "snap",
  "last-recording", "last-snapshot", "storage-exists", "storage-free", "storage-name",
]);

/**
 * Sort the keys into panels.
 *
 * @param table as GET /api/keys describes it
 * @return [{id, title, keys}]: `title` is the group of a driver's keys, null for a panel of PANELS
 */
export function panels(table) {
  const left = new Set(Object.keys(table).filter((name) => !ELSEWHERE.has(name)));
  const made = [];
  for (const panel of PANELS) {
    const wanted = panel.keys ?? Object.keys(table).filter((k) => table[k].group === panel.group);
    const keys = wanted.filter((name) => left.delete(name));
    if (keys.length) made.push({ id: panel.id, title: null, keys });
  }
  const groups = new Map();
  for (const name of left) {
    const { group } = table[name];
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push(name);
  }
  for (const [group, keys] of groups) made.push({ id: `group-${slug(group)}`, title: group, keys });
  return made;
}

function slug(text) {
  return text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "") || "other";
}

/** "slider", "choice", "segments", "switch", "text", "value" (to be read only) or "layout". */
export function kind(name, description) {
  if (!description.write.length) return "value";
  if (name === "pip-mode") return "layout";
  switch (description.type) {
    case "boolean":
      return "switch";
    case "integer":
      if (description.choices) return "choice";
      if (name.endsWith("-sensor")) return "segments";
      return description.maximum - description.minimum <= 10000 ? "slider" : "number";
    case "choice":
    case "size":
      return description.choices ? "choice" : "text";
    case "mode":
      return description.choices.length > 2 ? "choice" : "switch";
    default:
      return "text";
  }
}

/**
 * Why a key cannot be set right now.
 *
 * @param situation {online, authenticated, role, state}
 * @return null if it can, else {word, ...} for the dictionary
 */
export function obstacle(name, description, { online, authenticated, role, state }) {
  if (!online) return { word: "why.offline" };
  if (!description) return authenticated ? { word: "why.role", role } : { word: "why.login" };
  if (!description.writable) {
    if (!authenticated) return { word: "why.login" };
    return { word: "why.role", role, permission: description.write[0] };
  }
  const camera = /^cam([12])-(light|sensor)$/.exec(name)?.[1];
  if (camera && !state[`cam${camera}-exists`]) return { word: "why.camera", camera };
  const recording = state.record !== false && state.record !== undefined;
  if ((name === "resolution" || name === "fps") && recording) return { word: "why.recording" };
  if (name === "record" || name === "snap") {
    const main = state["main-camera"];
    if (!state[`cam${main}-exists`] && !(name === "record" && recording)) {
      return { word: "why.camera", camera: main };
    }
    if (state["storage-exists"] === false) return { word: "why.storage" };
  }
  return null;
}

/** What is to be known about a key that can be set all the same; null or a word. */
export function hint(name, state) {
  if (name === "gain" && state["auto-exposure"]) return "hint.exposure";
  if ((name === "red-gain" || name === "blue-gain") && state["auto-white-balance"]) {
    return "hint.balance";
  }
  return null;
}

/** The keys that change what others may be: when one of them does, the table is asked for anew. */
export const SHAPING = ["main-camera", "resolution", "cam1-exists", "cam2-exists"];
