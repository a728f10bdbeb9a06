// The counter without a page load: what is scanned, typed, pasted or seen is sent, and the answer takes the place of the
// last one. The input has the focus all the time, so that the next customer can be scanned at once.
const form = document.querySelector("#presenting");
const input = form.elements.sent;
const outcome = document.querySelector("#outcome");
const trouble = form.querySelector("[data-trouble]");
const picture = document.querySelector("#picture");
const cameraButton = form.querySelector("[data-camera]");
const video = form.querySelector("[data-video]");
const recent = document.querySelector("[data-recent]");
const RECENT = 8;
const ATTEMPTS = 2;
const LOOK_EVERY = 120;
const SIDES = [960, 2000];

/** What came while another was under way waits its turn. */
let line = Promise.resolve();
/** What was not answered, by the name of its request: sent again under the same, it is not done twice. */
let unanswered = null;

const text = (name) => document.querySelector(`template[data-text="${name}"]`).content.textContent;

function say(name) {
  trouble.textContent = name ? text(name) : "";
  trouble.hidden = !name;
}

const newName = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

async function ask(sent, request) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await fetch(form.action, {
        method: "POST",
        headers: { Accept: "*/*", "HX-Request": "true", "HX-Current-URL": location.href },
        body: new URLSearchParams({ sent, request }),
        signal: AbortSignal.timeout(10_000),
      });
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

async function present(sent) {
  const request = unanswered?.sent === sent ? unanswered.request : newName();
  outcome.classList.add("busy");
  try {
    const answer = await ask(sent, request);
    if (answer.status === 401) location.assign(answer.headers.get("HX-Redirect"));
    if (!answer.ok) throw new Error(String(answer.status));
    show(await answer.text());
    unanswered = null;
    say("");
  } catch {
    unanswered = { sent, request };
    if (!input.value) input.value = sent;
    input.select();
    say("unreachable");
  } finally {
    outcome.classList.remove("busy");
  }
}

function show(html) {
  outcome.innerHTML = html;
  const met = outcome.querySelector("template[data-line]");
  if (!met) return;
  const item = document.createElement("li");
  item.append(met.content);
  met.remove();
  const list = recent.querySelector("ol");
  list.prepend(item);
  while (list.children.length > RECENT) list.lastElementChild.remove();
  recent.hidden = false;
}

function send(sent) {
  line = line.then(() => present(sent));
  return line;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const sent = input.value;
  input.value = "";
  input.focus();
  if (sent.trim()) send(sent);
});

/** The text of a QR code in what can be drawn, or null. Looked for small first, which is quick, then larger. */
async function read(source, width, height) {
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

async function takePicture(file) {
  let found = null;
  try {
    const bitmap = await createImageBitmap(file);
    found = await read(bitmap, bitmap.width, bitmap.height);
  } catch {
    // No image, or one that the browser cannot read: said as one without a code.
  }
  say(found ? "" : "unreadable");
  input.focus();
  if (found) send(found);
}

picture.addEventListener("change", () => {
  const [file] = picture.files;
  picture.value = "";
  if (file) takePicture(file);
});
document.addEventListener("paste", (event) => {
  const file = [...event.clipboardData.files].find((each) => each.type.startsWith("image/"));
  if (!file) return;
  event.preventDefault();
  takePicture(file);
});

let stream = null;

async function openCamera() {
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
  } catch {
    say("no-camera");
    return;
  }
  say("");
  cameraButton.setAttribute("aria-pressed", "true");
  video.srcObject = stream;
  video.hidden = false;
  await video.play();
  watch(stream);
}

function closeCamera() {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  video.hidden = true;
  cameraButton.setAttribute("aria-pressed", "false");
}

/** Looks at the picture again and again; a code that stays before the camera is sent once. */
async function watch(ours) {
  let last = "";
  while (stream === ours) {
    const found = video.videoWidth ? await read(video, video.videoWidth, video.videoHeight) : null;
    if (found && found !== last) {
      last = found;
      await send(found);
    }
    await new Promise((resolve) => { setTimeout(resolve, LOOK_EVERY); });
  }
}

cameraButton.addEventListener("click", async () => {
  if (stream) closeCamera();
  else await openCamera();
  input.focus();
});
addEventListener("pagehide", closeCamera);

form.querySelector("[data-means]").hidden = false;
cameraButton.hidden = !navigator.mediaDevices;
show(outcome.innerHTML);
input.focus();
