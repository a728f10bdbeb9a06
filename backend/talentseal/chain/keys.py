"""Transaction keys: keystore V3 files, local signing, and what a key may be used for.

A lane's key signs calls to one contract on one chain, below a gas and a fee ceiling, and nothing else; a
caller that was tricked or mistaken gets SigningRefused instead of a signature. Secrets are held in memory
only, never printed: `LocalSender` has no readable key attribute and its text form is its address.
"""

import json
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from talentseal.chain.port import Fees, SignedTransaction, SigningRefused
from talentseal.chain.public_keys import PUBLIC_ADDRESSES
from talentseal.errors import Conflict

GAS_CEILING = 5_000_000
"""More gas than any call of the registry can need (eight parties, deepest proof): a bound on a mistake."""

FEE_CEILING_WEI = 2_000 * 10**9
"""Highest price of gas a sender signs, 2,000 gwei: a bound on a mistaken or hostile fee suggestion."""


class KeystoreRefused(Conflict):
    code = "keystore-refused"
    zh = "密钥库文件 {path} 不可用：{why}。"
    en = "The keystore {path} cannot be used: {why}."


class PublicKeyRefused(Conflict):
    code = "public-sender-key"
    zh = "地址 {address} 的私钥是公开的测试密钥，仅可用于演示模式。请生成新的密钥。"
    en = "The private key of {address} is public knowledge, for demonstrations only; create a new key."


@dataclass(frozen=True, slots=True)
class SigningPolicy:
    """What a sender signs: calls to `contract` on `chain_id` whose selector is one of `selectors`, within
    ceilings.
    """

    chain_id: int
    contract: str
    selectors: frozenset[bytes]
    gas_ceiling: int = GAS_CEILING
    fee_ceiling_wei: int = FEE_CEILING_WEI

    def check(self, *, chain_id: int, to: str, payload: bytes, gas: int, fees: Fees) -> None:
        """Raise SigningRefused naming the first rule that the request breaks."""
        rules = (
            (chain_id == self.chain_id, f"chain {chain_id} is not {self.chain_id}"),
            (to == self.contract, f"contract {to} is not {self.contract}"),
            (payload[:4] in self.selectors, f"function 0x{payload[:4].hex()} is not of this lane"),
            (0 < gas <= self.gas_ceiling, f"gas {gas} is above {self.gas_ceiling}"),
            (
                0 <= fees.max_fee_wei <= self.fee_ceiling_wei,
                f"fee {fees.max_fee_wei} wei is above the ceiling",
            ),
        )
        for holds, why in rules:
            if not holds:
                raise SigningRefused(f"{why}; nothing was signed")


@dataclass(frozen=True, slots=True)
class LocalSender:
    """A key in this process. Made by `load_sender` (a keystore) or, in tests and demonstrations, `of_key`."""

    _account: LocalAccount = field(repr=False)
    _policy: SigningPolicy

    @classmethod
    def of_key(cls, key: bytes, policy: SigningPolicy, *, demonstration: bool = False) -> "LocalSender":
        """A sender of a 32-byte key.

        Raises PublicKeyRefused for a key that everybody knows, unless in a demonstration.
        """
        account = Account.from_key(key)
        if account.address in PUBLIC_ADDRESSES and not demonstration:
            raise PublicKeyRefused(address=account.address)
        return cls(account, policy)

    @property
    def address(self) -> str:
        return str(self._account.address)

    def sign(
        self, *, chain_id: int, to: str, payload: bytes, nonce: int, gas: int, fees: Fees
    ) -> SignedTransaction:
        self._policy.check(chain_id=chain_id, to=to, payload=payload, gas=gas, fees=fees)
        fields: dict[str, Any] = {
            "chainId": chain_id,
            "to": to,
            "data": payload,
            "value": 0,
            "nonce": nonce,
            "gas": gas,
            **_price(fees),
        }
        signed = self._account.sign_transaction(fields)
        return SignedTransaction(
            "0x" + bytes(signed.hash).hex(), bytes(signed.raw_transaction), self.address, nonce, gas, fees
        )


def _price(fees: Fees) -> dict[str, int]:
    if fees.priority_fee_wei is None:
        return {"gasPrice": fees.max_fee_wei}
    return {"type": 2, "maxFeePerGas": fees.max_fee_wei, "maxPriorityFeePerGas": fees.priority_fee_wei}


def load_sender(
    keystore: Path, passphrase_file: Path, policy: SigningPolicy, *, demonstration: bool = False
) -> LocalSender:
    """The sender of a keystore V3 file, opened with the passphrase in another file (mode 0600, one line).

    Raises KeystoreRefused (missing, malformed, readable by others, wrong passphrase) and PublicKeyRefused.
    """
    passphrase = _private_text(passphrase_file).rstrip("\r\n")
    try:
        key = bytes(Account.decrypt(json.loads(_private_text(keystore)), passphrase))
    except (ValueError, TypeError, KeyError, NotImplementedError):
        # The library's words are withheld: they may quote what it was given.
        raise KeystoreRefused(path=str(keystore), why="malformed, or the passphrase is wrong") from None
    return LocalSender.of_key(key, policy, demonstration=demonstration)


def create_keystore(path: Path, passphrase: str, key: bytes | None = None) -> str:
    """Write a new keystore V3 (scrypt), mode 0600; its EIP-55 address.

    key: 32 bytes; a fresh random key when None. Raises FileExistsError: a key is never replaced.
    """
    account = Account.create() if key is None else Account.from_key(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(json.dumps(account.encrypt(passphrase)) + "\n", "ascii")
    return str(account.address)


def _private_text(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise KeystoreRefused(path=str(path), why=type(error).__name__) from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeystoreRefused(path=str(path), why="readable by others than its owner; chmod 600")
    return text
