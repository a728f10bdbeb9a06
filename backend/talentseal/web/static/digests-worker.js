// Beside the page: reads a file and answers with its digests.
"use strict";
import { digestsOf } from "./sealproof/document.js";

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

addEventListener("message", async ({ data: file }) => {
  const raw = new Uint8Array(await file.arrayBuffer());
  const { sha256, sm3, size } = await digestsOf(raw);
  postMessage({ sha256: hex(sha256), sm3: hex(sm3), size, start: raw.slice(0, 8) });
});
