/** Small pictures of what is stored: made here, one after another, when they come into view. */

const WIDTH = 480;
const LIMIT = 8000;

export class Thumbnails {
  #client;
  #made = new Map(); // id: canvas
  #waiting = [];
  #working = false;
  #seen;

  constructor(client) {
    this.#client = client;
    this.#seen = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        this.#seen.unobserve(entry.target);
        this.#waiting.push(entry.target);
      }
      this.#work();
    }, { rootMargin: "200px" });
  }

  /** Put one into an element, which says by `data-url` and `data-id` of what. */
  want(element) {
    const made = this.#made.get(element.dataset.id);
    if (made) element.prepend(copy(made));
    else this.#seen.observe(element);
  }

  /** Nobody may see them any more. */
  forget() {
    this.#made.clear();
    this.#waiting = [];
  }

  async #work() {
    if (this.#working) return;
    this.#working = true;
    while (this.#waiting.length) {
      const element = this.#waiting.shift();
      if (!element.isConnected) continue;
      try {
        const canvas = await this.#make(element.dataset.url);
        this.#made.set(element.dataset.id, canvas);
        if (element.isConnected) element.prepend(copy(canvas));
      } catch {
        // The symbol stays.
      }
    }
    this.#working = false;
  }

  async #make(url) {
    if (url.startsWith("/api/snapshots/")) {
      const answer = await this.#client.fetch(url);
      const bitmap = await createImageBitmap(await answer.blob());
      const canvas = draw(bitmap, bitmap.width, bitmap.height);
      bitmap.close();
      return canvas;
    }
    const video = document.createElement("video");
    video.muted = true;
    video.preload = "auto";
    video.src = `${await this.#client.ticket(url)}#t=0.2`;
    try {
      await new Promise((resolve, reject) => {
        video.onloadeddata = resolve;
        video.onerror = reject;
        setTimeout(reject, LIMIT);
      });
      return draw(video, video.videoWidth, video.videoHeight);
    } finally {
      video.removeAttribute("src");
      video.load();
    }
  }
}

function draw(source, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH;
  canvas.height = Math.round((WIDTH * height) / width) || 1;
  canvas.getContext("2d").drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function copy(canvas) {
  const one = document.createElement("canvas");
  one.width = canvas.width;
  one.height = canvas.height;
  one.getContext("2d").drawImage(canvas, 0, 0);
  one.setAttribute("aria-hidden", "true");
  return one;
}
