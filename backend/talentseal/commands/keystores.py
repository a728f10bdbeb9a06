"""Partners' keystores: the private key is opened here, used here, and goes nowhere."""

import json
from pathlib import Path

from talentseal.commands.console import fail, passphrase


def address_of(keystore: Path) -> str:
    """The address that a keystore names, without opening it. Exits when the file is none."""
    from sealproof import secp256k1

    try:
        named = json.loads(keystore.read_text("utf-8"))["address"]
        return secp256k1.checksum_address(bytes.fromhex(named.removeprefix("0x")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        fail(f"{keystore} 不是可用的密钥库文件。", f"{keystore} is not a keystore that can be used.")


def create(keystore: Path, passphrase_file: Path | None) -> str:
    """Write a new keystore V3 (0600); its address. Exits when the file exists: a key is never replaced."""
    from talentseal.chain.keys import create_keystore

    try:
        return create_keystore(keystore, passphrase(passphrase_file, confirm=True))
    except FileExistsError:
        fail(
            f"{keystore} 已存在，不会覆盖。请另选文件名。",
            f"{keystore} exists and is never replaced; choose another.",
        )
    except OSError as error:
        fail(f"无法写入 {keystore}（{error.strerror}）。", f"Cannot write {keystore} ({error.strerror}).")


def sign_digest(keystore: Path, passphrase_file: Path | None, digest: bytes) -> str:
    """0x and the 65 bytes r, s, v of the key's signature over a 32-byte digest."""
    from eth_account import Account

    secret = passphrase(passphrase_file, confirm=False)
    try:
        key = Account.decrypt(json.loads(keystore.read_text("utf-8")), secret)
    except OSError as error:
        fail(f"无法读取 {keystore}（{error.strerror}）。", f"Cannot read {keystore} ({error.strerror}).")
    except (ValueError, TypeError, KeyError, NotImplementedError):
        fail(
            "密钥库无法打开：口令错误或文件损坏。",
            "The keystore does not open: wrong passphrase or damaged file.",
        )
    return "0x" + bytes(Account.unsafe_sign_hash(digest, key).signature).hex()
