"""The second factor: six digits of an authenticator (TOTP, RFC 6238), or a recovery code.

The authenticator's secret is encrypted at rest under a key outside the database. A code counts in its own
step of 30 s and one before and after; each step counts once, which the database decides by comparing and
setting in one statement, so that of two requests with one code exactly one succeeds.
"""

import base64
import hashlib
import hmac
import io
import os
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Final

import pyotp
import segno
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from talentseal.accounts.models import Credential, RecoveryCode
from talentseal.errors import TalentSealError

STEP_SECONDS: Final = 30
WINDOW: Final = 1
"""Steps by which an authenticator's clock may be wrong."""

RECOVERY_CODES: Final = 10
_RECOVERY_BYTES: Final = 10
_DIGITS: Final = re.compile(r"[0-9]{6}\Z")
_NONCE: Final = 12


class SecretUnreadable(TalentSealError):
    code: ClassVar[str] = "second-factor-unreadable"
    zh: ClassVar[str] = "无法读取第二因素密钥：密钥文件与数据库不匹配。请联系运营机构。"
    en: ClassVar[str] = "The second factor's secret cannot be read: key file and database do not match."


@dataclass(frozen=True, slots=True)
class SecretBox:
    """AES-256-GCM under the key of the service's sign-in key file. key: 32 bytes."""

    key: bytes = field(repr=False)

    def seal(self, account_id: str, secret: str) -> bytes:
        """`secret` encrypted, bound to its account so that rows cannot be swapped."""
        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(self.key).encrypt(nonce, secret.encode("ascii"), _bound(account_id))

    def open(self, account_id: str, sealed: bytes) -> str:
        """The secret. Raises SecretUnreadable."""
        try:
            plain = AESGCM(self.key).decrypt(sealed[:_NONCE], sealed[_NONCE:], _bound(account_id))
        except InvalidTag:
            raise SecretUnreadable from None
        return plain.decode("ascii")


def _bound(account_id: str) -> bytes:
    return f"talentseal/second-factor/1\n{account_id}".encode()


def new_secret() -> str:
    """160 random bits in base32, as authenticators take them."""
    return pyotp.random_base32()


def matching_step(secret: str, code: str, *, now: datetime, window: int = WINDOW) -> int | None:
    """The time step to which the six digits belong; None when to none within the window."""
    digits = "".join(code.split())
    if not _DIGITS.match(digits):
        return None
    otp, present = pyotp.TOTP(secret, interval=STEP_SECONDS), int(now.timestamp()) // STEP_SECONDS
    for step in range(present - window, present + window + 1):
        if hmac.compare_digest(otp.generate_otp(step), digits):
            return step
    return None


def use_step(session: Session, account_id: str, sealed: bytes, step: int) -> bool:
    """Use a step of the secret up. False when it, or a later one, was used before."""
    used = session.execute(
        update(Credential)
        .where(
            Credential.account_id == account_id,
            Credential.totp_secret == sealed,
            Credential.totp_step < step,
        )
        .values(totp_step=step)
        .returning(Credential.account_id)
    )
    return used.scalar_one_or_none() is not None


def new_recovery_codes() -> list[str]:
    """Ten codes of 80 random bits: four groups of four letters and digits."""
    texts = (
        base64.b32encode(os.urandom(_RECOVERY_BYTES)).decode("ascii").lower() for _ in range(RECOVERY_CODES)
    )
    return ["-".join(text[place : place + 4] for place in range(0, 16, 4)) for text in texts]


def replace_recovery_codes(session: Session, account_id: str, codes: list[str]) -> None:
    """Let these be the account's recovery codes and no others."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.account_id == account_id))
    session.add_all(RecoveryCode(account_id=account_id, code_hash=_digest(code)) for code in codes)
    session.flush()


def use_recovery_code(session: Session, account_id: str, code: str) -> bool:
    """Use a recovery code up. False when it is none, or none any more."""
    used = session.execute(
        delete(RecoveryCode)
        .where(RecoveryCode.account_id == account_id, RecoveryCode.code_hash == _digest(code))
        .returning(RecoveryCode.code_hash)
    )
    return used.scalar_one_or_none() is not None


def recovery_codes_left(session: Session, account_id: str) -> int:
    """How many are unused."""
    query = select(func.count()).select_from(RecoveryCode).where(RecoveryCode.account_id == account_id)
    return session.scalars(query).one()


def _digest(code: str) -> str:
    spelled = "".join(mark for mark in code.lower() if mark.isalnum())
    return hashlib.sha256(spelled.encode()).hexdigest()


def enrolment_address(secret: str, account_name: str, issuer: str) -> str:
    """The otpauth:// address that an authenticator reads from a QR code."""
    return pyotp.TOTP(secret, interval=STEP_SECONDS).provisioning_uri(name=account_name, issuer_name=issuer)


def qr_svg(text: str) -> str:
    """A QR code as inline SVG without style attributes, dark on a light ground in either appearance."""
    drawn = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        drawn,
        kind="svg",
        xmldecl=False,
        svgns=False,
        omitsize=True,
        svgclass="qr",
        lineclass=None,
        light="#fff",
    )
    return drawn.getvalue().decode("utf-8")
