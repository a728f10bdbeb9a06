"""`python -m tests.audit.making URL ORGANISATION ACCOUNT RECORD AGREEMENT`: both certificates, made by a
process of its own; prints the SHA-256 of each.
"""

import hashlib
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sealproof.trust import Finality, FinalityPolicy
from talentseal.accounts.roles import PERMISSIONS, Actor, Role
from talentseal.audit import certificate
from talentseal.audit.certificate import Issuer
from talentseal.audit.proofs import Notary
from talentseal.config import ChainType
from talentseal.db import Database
from talentseal.evidence.signing import LogSigner
from talentseal.web.language import Language
from tests.world import ORIGIN


def issuer(chain: ChainType = ChainType.DEVELOPMENT, *, demonstration: bool = False) -> Issuer:
    """A service's part in the certificates of the tests."""
    key = LogSigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes(range(32)))).verifier_key
    return Issuer(
        Notary(key, Finality(FinalityPolicy.INSTANT), "test"),
        "https://evidence.example",
        chain,
        {Language.ZH: "测试用的链", Language.EN: "chain of the tests"},
        demonstration,
    )


def main() -> None:
    """Make both and say what they are."""
    url, organisation, account, record, agreement = sys.argv[1:]
    database = Database(url)
    actor = Actor(account, organisation, Role.PARTNER, PERMISSIONS[Role.PARTNER])
    for made in (
        certificate.of_record(database, actor, record, issuer()),
        certificate.of_agreement(database, actor, agreement, issuer()),
    ):
        print(hashlib.sha256(made.pdf).hexdigest())
    database.close()


if __name__ == "__main__":
    main()
