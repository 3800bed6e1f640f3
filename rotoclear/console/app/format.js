/** Numbers and times as people read them. */

/** "00:12:07"; hours only as many as there are. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, "0");
  return `${two(Math.floor(whole / 3600))}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

/** "7.2 MB", in powers of 1000 as disks are sold. */
export function bytes(count, language) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = count;
  let unit = 0;
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  const digits = unit && size < 99.95 ? 1 : 0;
  const number = new Intl.NumberFormat(language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return `${number.format(size)} ${units[unit]}`;
}

/** "28 Nov 2026, 01:32:44" of an ISO time, in the reader's own time zone. */
export function moment(iso, language) {
  return new Date(iso).toLocaleString(language === "en" ? "en-GB" : language, {
    day: "2-digit",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}

/** "1920 × 1080" of "1920x1080". */
export function size(text) {
  return String(text).replace("x", " × ");
}

/** "Shutter priority" of "shutter-priority": what a driver calls something, for people. */
export function plain(name) {
  const text = String(name).replaceAll("-", " ").replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
