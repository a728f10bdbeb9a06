// Sign in by a signing key: a wallet (EIP-1193) signs the challenge, or a signature made elsewhere is pasted.
const desk = document.querySelector("#key-sign-in");
const refusal = desk.querySelector("[data-refusal]");
const asking = desk.querySelector("form[data-ask]");
const answering = desk.querySelector("form[data-answer]");
const english = document.documentElement.lang === "en";
const USER_REJECTED = 4001;

/** A refusal that has its sentence already. */
class Refused extends Error {}

const text = (name) => desk.querySelector(`template[data-text="${name}"]`).content.textContent;

async function post(path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Refused(text("unreachable"));
  }
  const said = await answer.json();
  if (!answer.ok) throw new Refused(english ? said.en : said.zh);
  return said;
}

async function enter(address, signature) {
  const { location: place } = await post("/sign-in/key", { address, signature, next: desk.dataset.next });
  location.assign(place);
}

async function signWithWallet() {
  const wallet = window.ethereum;
  const [address] = await wallet.request({ method: "eth_requestAccounts" });
  const challenge = await post("/sign-in/key/challenge", { address });
  const signature = await wallet.request({
    method: "eth_signTypedData_v4",
    params: [address, JSON.stringify(challenge)],
  });
  await enter(address, signature);
}

/** Run an act of a button; whatever stops it is said, and the button can be pressed again. */
async function attempt(button, act) {
  refusal.hidden = true;
  button.disabled = true;
  try {
    await act();
  } catch (error) {
    const said = error instanceof Refused ? error.message : text(error?.code === USER_REJECTED ? "refused" : "wallet-failed");
    refusal.querySelector("p").textContent = said;
    refusal.hidden = false;
    refusal.focus();
  } finally {
    button.disabled = false;
  }
}

const button = desk.querySelector("button[data-wallet]");
const hasWallet = Boolean(window.ethereum);
button.hidden = !hasWallet;
desk.querySelector("[data-has-wallet]").hidden = !hasWallet;
desk.querySelector("[data-no-wallet]").hidden = hasWallet;
desk.querySelector("[data-origin]").textContent = location.origin;
button.addEventListener("click", () => attempt(button, signWithWallet));

asking.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(asking.querySelector("button"), async () => {
    const challenge = await post("/sign-in/key/challenge", { address: asking.elements.address.value.trim() });
    const file = answering.querySelector("[data-challenge]");
    if (file.href) URL.revokeObjectURL(file.href);
    file.href = URL.createObjectURL(new Blob([JSON.stringify(challenge, null, 1)], { type: "application/json" }));
    answering.hidden = false;
    file.focus();
  });
});

answering.addEventListener("submit", (event) => {
  event.preventDefault();
  const signature = answering.elements.signature.value.trim();
  attempt(answering.querySelector("button"), () => enter(asking.elements.address.value.trim(), signature));
});
