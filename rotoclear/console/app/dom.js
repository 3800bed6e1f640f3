/** Making elements. Text is always text: nothing here reads markup. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element.
 *
 * @param tag "div", or "button.primary" with classes
 * @param attributes by name; `on` holds listeners, `data` data attributes; null and false are left out
 */
export function h(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key === "on") {
      for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
    } else if (key === "data") {
      for (const [data, text] of Object.entries(value)) element.dataset[data] = text;
    } else if (key === "value" || key === "checked" || key === "disabled" || key === "hidden") {
      element[key] = value;
    } else {
      element.setAttribute(key, value === true ? "" : value);
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** The element of an id, which the page has. */
export function $(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`The page has no #${id}`);
  return element;
}

// Drawn on a grid of 24, as outlines; those that begin with "!" are filled.
const ICONS = {
  record: ["!M12 5a7 7 0 1 0 0 14a7 7 0 0 0 0-14z"],
  pause: ["!M7 5h3.5v14H7z", "!M13.5 5H17v14h-3.5z"],
  resume: ["!M8 5v14l11-7z"],
  stop: ["!M6.5 6.5h11v11h-11z"],
  snap: ["M4 8h3l1.6-2.4h6.8L17 8h3v11H4z", "M12 10a3.3 3.3 0 1 0 0 6.6a3.3 3.3 0 0 0 0-6.6z"],
  lamp: ["M9 17h6M9.6 20h4.8", "M12 3.5a5.6 5.6 0 0 0-3.2 10.2c.5.4.7.9.7 1.5V17h5v-1.8c0-.6.2-1.1.7-1.5A5.6 5.6 0 0 0 12 3.5z"],
  live: ["M3 6.5h12v11H3z", "M15 10.5l6-3.5v10l-6-3.5z"],
  gallery: ["M4 5h16v14H4z", "M4 15.5l4.5-4.5l4 4l2.5-2.5l5 5", "M15.5 8.2a1.3 1.3 0 1 0 0 2.6a1.3 1.3 0 0 0 0-2.6z"],
  users: ["M9 5a3.2 3.2 0 1 0 0 6.4A3.2 3.2 0 0 0 9 5z", "M3 19c.4-3.4 2.700-5 6-5s5.600 1.600 6 5", "M15.500 5.600a3 3 0 0 1 0 5.400M17.300 14.300c2.200.5 3.400 2 3.700 4.700"],
  person: ["M12 4.500a3.700 3.700 0 1 0 0 7.400a3.700 3.700 0 0 0 0-7.400z", "M5 20c.5-3.800 3.200-5.700 7-5.700s6.500 1.900 7 5.700"],
  wall: ["M4 9V4.500h4.500M15.500 4.500H20V9M20 15v4.500h-4.500M8.500 19.500H4V15"],
  storage: ["M6 3.500h9l3 3v14H6z", "M9 3.500v4.500h5v-4.500M9 20.500v-6h6v6"],
  play: ["M8 5.500v13l10-6.500z"],
  download: ["M12 4v11M7.500 11l4.500 4.500l4.500-4.500M5 19.500h14"],
  trash: ["M5 7h14M10 4h4M7 7l.8 13h8.400L17 7M10.500 10.500v6M13.500 10.500v6"],
  close: ["M6 6l12 12M18 6L6 18"],
  refresh: ["M19 12a7 7 0 1 1-2.200-5.100L19 9M19 4.500V9h-4.500"],
  reset: ["M5 12a7 7 0 1 0 2.200-5.100L5 9M5 4.500V9h4.500"],
  add: ["M12 5v14M5 12h14"],
  edit: ["M4.500 19.500l1-4L16 5l3 3L8.500 18.500z"],
  warning: ["M12 4L2.800 19.500h18.400z", "M12 10v4.500M12 16.700v.6"],
  info: ["M12 3.500a8.500 8.500 0 1 0 0 17a8.500 8.500 0 0 0 0-17z", "M12 11v5.500M12 7.600v.6"],
  film: ["M4 5h16v14H4z", "M8 5v14M16 5v14M4 9.700h4M4 14.300h4M16 9.700h4M16 14.300h4"],
  lock: ["M6 11h12v9H6z", "M8.500 11V8a3.500 3.500 0 0 1 7 0v3"],
  key: ["M8 12.500a3.500 3.500 0 1 0 0 .1M11.500 12.500H21M18 12.500v3.500M15 12.500v2.500"],
  eye: ["M2.500 12c2.300-4.300 5.500-6.500 9.500-6.500s7.200 2.200 9.500 6.500c-2.300 4.300-5.500 6.500-9.500 6.500S4.800 16.300 2.500 12z", "M12 9a3 3 0 1 0 0 6a3 3 0 0 0 0-6z"],
};

/** A picture of one of these names; it says nothing to those who cannot see it. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  for (const drawn of ICONS[name]) {
    const path = document.createElementNS(SVG, "path");
    const filled = drawn.startsWith("!");
    path.setAttribute("d", filled ? drawn.slice(1) : drawn);
    if (filled) path.setAttribute("class", "filled");
    svg.append(path);
  }
  return svg;
}
