"use strict";
/** Reading a QR code without a scanner: from a picture that is chosen or pasted, or through the camera. */

/** Milliseconds between two looks through the camera. */
const LOOK_EVERY = 120;
/** Pixels of the longer side at which a code is looked for: small first, which is quick. */
const SIDES = [960, 2000];

/** Shows a text that the page holds ready in the line of trouble under `root`, and no line for none. */
export function telling(root) {
  const line = root.querySelector("[data-trouble]");
  return (name) => {
    line.textContent = name ? document.querySelector(`template[data-text="${name}"]`).content.textContent : "";
    line.hidden = !name;
  };
}

/** The text of a QR code in what can be drawn, or null. */
async function codeIn(source, width, height) {
  const { decodeQR } = await import("./qr/decode.js");
  for (const side of SIDES) {
    const scale = Math.min(1, side / Math.max(width, height));
    const canvas = new OffscreenCanvas(Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale)));
    const drawing = canvas.getContext("2d", { willReadFrequently: true });
    drawing.drawImage(source, 0, 0, canvas.width, canvas.height);
    try {
      return decodeQR(drawing.getImageData(0, 0, canvas.width, canvas.height));
    } catch {
      if (scale === 1) return null;
    }
  }
  return null;
}

/** The means that the macro `ui.scanning` puts on a page, at work. */
export class Scanner {
  /**
   * @param {HTMLElement} root holds the means
   * @param {(text: string) => Promise<void>|void} found what is done with a code; the camera waits for it
   * @param {(trouble: ""|"unreadable"|"no-camera") => void} say what came of a picture or of opening the camera
   */
  constructor(root, found, say) {
    this.found = found;
    this.say = say;
    this.video = root.querySelector("[data-video]");
    this.button = root.querySelector("[data-camera]");
    this.picture = root.querySelector("[data-picture]");
    this.means = root.querySelector("[data-means]");
    this.stream = null;
  }

  /** Show the means, and heed them. */
  listen() {
    const { picture } = this;
    picture.addEventListener("change", () => {
      const [file] = picture.files;
      picture.value = "";
      if (file) this.take(file);
    });
    document.addEventListener("paste", (event) => {
      const file = [...event.clipboardData.files].find((each) => each.type.startsWith("image/"));
      if (!file) return;
      event.preventDefault();
      this.take(file);
    });
    this.button.addEventListener("click", () => (this.stream ? this.close() : this.open()));
    addEventListener("pagehide", () => this.close());
    this.button.hidden = !navigator.mediaDevices;
    this.means.hidden = false;
  }

  async take(file) {
    let text = null;
    try {
      const bitmap = await createImageBitmap(file);
      text = await codeIn(bitmap, bitmap.width, bitmap.height);
    } catch {
      // No image, or one that the browser cannot read: said as one without a code.
    }
    this.say(text ? "" : "unreadable");
    if (text) this.found(text);
  }

  async open() {
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
    } catch {
      this.say("no-camera");
      return;
    }
    this.say("");
    this.button.setAttribute("aria-pressed", "true");
    this.video.srcObject = this.stream;
    this.video.hidden = false;
    await this.video.play();
    this.watch(this.stream);
  }

  close() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.video.hidden = true;
    this.button.setAttribute("aria-pressed", "false");
    this.say("");
  }

  /** Looks at the picture again and again; a code that stays before the camera is told once. */
  async watch(ours) {
    let last = "";
    while (this.stream === ours) {
      const { videoWidth: width, videoHeight: height } = this.video;
      const text = width ? await codeIn(this.video, width, height) : null;
      if (text && text !== last) {
        last = text;
        await this.found(text);
      }
      await new Promise((resolve) => { setTimeout(resolve, LOOK_EVERY); });
    }
  }
}
