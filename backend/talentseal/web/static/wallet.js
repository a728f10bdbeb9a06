// A browser wallet (EIP-1193): asking it for an account and for signatures, and saying plainly what went wrong.
"use strict";
import { say } from "./local-file.js";

const REJECTED = 4001;
const PENDING = -32002;

/** What a person is told instead of an exception. name: of the prepared message. */
export class Told extends Error {
  constructor(name, values = {}) {
    super(name);
    this.values = values;
  }
}

const request = (method, params = []) => window.ethereum.request({ method, params });

/** The wallet's accounts, which its owner lets us see. @returns {Promise<string[]>} */
export async function accounts() {
  if (!window.ethereum) throw new Told("no-wallet");
  return request("eth_requestAccounts");
}

/** The open account that may sign, as the wallet writes it. @param {string[]} signers any of them will do */
async function accountOf(signers) {
  const open = await accounts();
  const wanted = signers.map((each) => each.toLowerCase());
  const found = open.find((each) => wanted.includes(each.toLowerCase()));
  if (!found) throw new Told("wrong-account", { account: open[0] ?? "" });
  return found;
}

/** Signature over EIP-712 typed data. @param {string} signer @param {number} chain @param {object} typed */
export async function signTypedData(signer, chain, typed) {
  const account = await accountOf([signer]);
  await moveTo(chain);
  return normal(await request("eth_signTypedData_v4", [account, JSON.stringify(typed)]));
}

/** Signature over a text (EIP-191) by any of these. @param {string[]} signers @param {string} text */
export async function signText(signers, text) {
  const account = await accountOf(signers);
  const bytes = new TextEncoder().encode(text);
  const hex = `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  return normal(await request("personal_sign", [hex, account]));
}

/** Wallets sign for the network that they are on: another one is offered, and named when it cannot be had. */
async function moveTo(chain) {
  const current = async () => Number(await request("eth_chainId"));
  if (await current() === chain) return;
  try {
    await request("wallet_switchEthereumChain", [{ chainId: `0x${chain.toString(16)}` }]);
  } catch (error) {
    if (error.code === REJECTED) throw error;
  }
  const now = await current();
  if (now !== chain) throw new Told("wrong-chain", { chain: String(now) });
}

/** v as 27 or 28: some hardware answers 0 or 1. */
function normal(signature) {
  const v = Number.parseInt(signature.slice(-2), 16);
  return v < 27 ? signature.slice(0, -2) + (v + 27).toString(16) : signature;
}

/**
 * Do something with the wallet while the place's button rests; what fails is said there.
 * @param {Element} place @param {HTMLButtonElement} button @param {() => Promise<void>} act
 */
export async function withWallet(place, button, act) {
  button.disabled = true;
  say(place, "waiting");
  try {
    await act();
    say(place, null);
  } catch (error) {
    if (error instanceof Told) say(place, error.message, error.values);
    else say(place, { [REJECTED]: "refused", [PENDING]: "pending" }[error.code] ?? "failed", { reason: String(error.message) });
  } finally {
    button.disabled = false;
  }
}
