/**
 * The live picture: JPEGs over a WebSocket, drawn as they come; where that cannot be had, MJPEG.
 *
 * A picture that is still being decoded when the next one has come is followed by the newest:
 * a slow browser misses pictures, and never falls behind.
 */

const FIRST_DELAY = 500;
const LAST_DELAY = 4000;

/** Milliseconds without a picture after which it stands still. */
const STILL = 2500;

/** Failures in a row after which MJPEG is tried. */
const PATIENCE = 3;

export class LivePicture {
  /** "off", "connecting", "live" or "stalled". */
  state = "off";

  /** Pictures a second, measured. */
  rate = 0;

  /** What is used: "websocket" or "mjpeg". */
  way = "websocket";

  #client;
  #canvas;
  #image;
  #changed;
  #context;
  #socket = null;
  #delay = FIRST_DELAY;
  #again = null;
  #watch = null;
  #failures = 0;
  #decoding = false;
  #next = null;
  #frames = 0;
  #counted = 0;
  #countedAt = 0;
  #last = 0;

  /**
   * @param changed called when `state`, `rate` or the size has changed
   * @param mjpeg use MJPEG from the start
   */
  constructor(client, canvas, image, changed, { mjpeg = false } = {}) {
    this.#client = client;
    this.#canvas = canvas;
    this.#image = image;
    this.#changed = changed;
    // The cheapest way that Chromium has without a GPU, and most of it is the decoding. Dearer were
    // an <img> (twice as much), a 2d context, decoding without colour conversion or to a smaller size.
    this.#context = canvas.getContext("bitmaprenderer");
    if (mjpeg || !this.#context || !globalThis.createImageBitmap) this.way = "mjpeg";
    image.addEventListener("load", () => {
      if (this.way === "mjpeg") this.#set("live");
    });
    image.addEventListener("error", () => {
      if (this.way === "mjpeg" && this.state !== "off" && image.getAttribute("src")) this.#failed();
    });
  }

  /** Width and height of the picture, 0 before the first. */
  get size() {
    if (this.way === "mjpeg") return [this.#image.naturalWidth, this.#image.naturalHeight];
    return this.#frames ? [this.#canvas.width, this.#canvas.height] : [0, 0];
  }

  start() {
    if (this.state !== "off") return;
    this.#delay = FIRST_DELAY;
    this.#failures = 0;
    this.#set("connecting");
    this.#open();
    this.#countedAt = performance.now();
    this.#watch = setInterval(() => this.#look(), 500);
  }

  stop() {
    if (this.state === "off") return;
    clearTimeout(this.#again);
    clearInterval(this.#watch);
    this.#drop();
    this.#image.removeAttribute("src");
    this.#image.hidden = true;
    this.rate = 0;
    this.#set("off");
  }

  #open() {
    if (this.way === "mjpeg") {
      this.#openImage();
      return;
    }
    const url = this.#client.url.replace(/\/api\/v1$/, "/api/live");
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.binaryType = "blob";
    socket.onopen = () => socket.send(JSON.stringify({ token: this.#client.token }));
    socket.onmessage = ({ data }) => {
      if (typeof data !== "string") this.#take(data);
    };
    socket.onclose = () => {
      if (socket === this.#socket) this.#failed();
    };
  }

  async #openImage() {
    try {
      this.#image.src = await this.#client.ticket("/api/stream");
      this.#image.hidden = false;
    } catch {
      this.#failed();
    }
  }

  #failed() {
    this.#drop();
    if (this.state === "off") return;
    if (this.state === "live") this.#set("stalled");
    this.#failures += 1;
    if (this.way === "websocket" && this.#failures >= PATIENCE && this.#client.connected) {
      this.way = "mjpeg"; // something on the way lets no such WebSocket through
    }
    clearTimeout(this.#again);
    this.#again = setTimeout(() => this.#open(), this.#delay);
    this.#delay = Math.min(this.#delay * 2, LAST_DELAY);
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    this.#next = null;
    if (!socket) return;
    socket.onclose = socket.onmessage = null;
    socket.close();
  }

  #take(blob) {
    if (this.#decoding) this.#next = blob;
    else this.#draw(blob);
  }

  async #draw(blob) {
    this.#decoding = true;
    try {
      const bitmap = await createImageBitmap(blob);
      if (this.state === "off") {
        bitmap.close();
        return;
      }
      const resized = this.#canvas.width !== bitmap.width || this.#canvas.height !== bitmap.height;
      if (resized) {
        this.#canvas.width = bitmap.width;
        this.#canvas.height = bitmap.height;
      }
      this.#context.transferFromImageBitmap(bitmap);
      this.#frames += 1;
      this.#last = performance.now();
      this.#failures = 0;
      this.#delay = FIRST_DELAY;
      if (this.state !== "live") this.#set("live");
      else if (resized) this.#changed();
    } catch {
      // A picture that is none: the next one will be.
    } finally {
      this.#decoding = false;
      const next = this.#next;
      this.#next = null;
      if (next && this.state !== "off") this.#draw(next);
    }
  }

  /** Twice a second: is it moving, and how fast? */
  #look() {
    if (this.way === "mjpeg") return;
    const now = performance.now();
    if (this.state === "live" && now - this.#last > STILL) this.#set("stalled");
    if (now - this.#countedAt < 1900) return;
    const rate = Math.round(((this.#frames - this.#counted) * 1000) / (now - this.#countedAt));
    this.#counted = this.#frames;
    this.#countedAt = now;
    this.#canvas.dataset.frames = String(this.#frames);
    if (rate !== this.rate) {
      this.rate = rate;
      this.#changed();
    }
  }

  #set(state) {
    if (state === this.state) return;
    this.state = state;
    this.#changed();
  }
}
