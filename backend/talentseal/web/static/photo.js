// A photo from a camera is too large to be sent: it is drawn anew, upright and smaller, before the form takes it.
const form = document.querySelector("[data-photo]");
const input = form.elements.photo;
const LIMIT = Number(form.dataset.limit);
const SIDE = 800;
const QUALITY = 0.85;

async function smaller(file) {
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(bitmap.width * scale);
  canvas.height = Math.round(bitmap.height * scale);
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", QUALITY); });
}

input.addEventListener("change", async () => {
  const [file] = input.files;
  if (!file) return;
  try {
    const drawn = await smaller(file);
    if (!drawn || drawn.size > LIMIT) return;
    const files = new DataTransfer();
    files.items.add(new File([drawn], "photo.jpg", { type: "image/jpeg" }));
    input.files = files.files;
  } catch {
    // No image, or one that the browser cannot read: it goes as it is, and the service says why it is refused.
  }
});
