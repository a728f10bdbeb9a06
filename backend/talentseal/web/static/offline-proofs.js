// Looking at an offline proof (TC2) without a network: by keys and a list of revoked codes that were fetched before. It
// says which tier a code had at most ten minutes ago, for display only. The form is that of the service, byte by byte.
import { b64urlDecode, hexEncode } from "./sealproof/encoding.js";
import { verifyEd25519 } from "./sealproof/ed25519.js";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
const PREFIX = "TC2:";
const SIZE = 118;
const CHARACTERS = 177;
const utf8 = new TextEncoder();

/** The bytes of a Base45 text of whole groups (RFC 9285), or null. */
function base45(text) {
  const octets = [];
  for (let place = 0; place < text.length; place += 3) {
    const [low, middle, high] = [...text.slice(place, place + 3)].map((each) => ALPHABET.indexOf(each));
    const value = low + 45 * middle + 2025 * high;
    if (Math.min(low, middle, high) < 0 || value > 0xffff) return null;
    octets.push(value >> 8, value & 0xff);
  }
  return Uint8Array.from(octets);
}

const fourBytes = (number) => [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff);

/** The two signed parts as the service encodes them (RFC 8949, 4.2.1). */
function partsOf(kid, second, tier, codeRef, lifetime) {
  const header = [0xa2, 0x01, 0x27, 0x04, 0x48, ...kid];
  const claims = [
    ...[0xa4, 0x04, 0x1a, ...fourBytes(second + lifetime), 0x06, 0x1a, ...fourBytes(second)],
    ...[0x3a, 0x00, 0x01, 0x00, 0x00, tier, 0x3a, 0x00, 0x01, 0x00, 0x01, 0x48, ...codeRef],
  ];
  return { header, claims };
}

function verifies(key, message, signature) {
  try {
    verifyEd25519(b64urlDecode(key), message, signature);
    return true;
  } catch {
    return false;
  }
}

/** What a proof says, or null. trust: as GET /counter/proof-trust answers. now: milliseconds. */
export function verifyProof(trust, text, now) {
  const octets =
    text.startsWith(PREFIX) && text.length === PREFIX.length + CHARACTERS ? base45(text.slice(PREFIX.length)) : null;
  if (octets?.length !== SIZE) return null;
  const view = new DataView(octets.buffer);
  const kid = octets.slice(8, 16);
  const second = view.getUint32(28);
  const tier = octets[37];
  const codeRef = octets.slice(44, 52);
  const { header, claims } = partsOf(kid, second, tier, codeRef, trust.lifetime_seconds);
  const form = [0xd2, 0x84, 0x4d, ...header, 0xa0, 0x58, claims.length, ...claims, 0x58, 0x40];
  if (!form.every((byte, place) => octets[place] === byte)) return null;
  const key = trust.keys.find((each) => each.jwk.kid === String.fromCharCode(...kid));
  const signed = [0x84, 0x6a, ...utf8.encode("Signature1"), 0x4d, ...header, 0x40, 0x58, claims.length, ...claims];
  const age = now / 1000 - second;
  const isLive = age >= -trust.skew_seconds && age <= trust.lifetime_seconds + trust.skew_seconds;
  if (!key || !isLive || trust.revoked.includes(hexEncode(codeRef)) || !(tier in trust.tiers)) return null;
  if (!verifies(key.jwk.x, Uint8Array.from(signed), octets.slice(SIZE - 64))) return null;
  return {
    tier: trust.tiers[tier],
    issuedAt: second * 1000,
    keyVersion: key.version,
    keyFirstDay: key.first_day,
  };
}
