"""`python -m tests.dead_code`: what the product defines and nothing uses, not even a test.

Vulture cannot see what a framework calls, so decorated functions and the names below are left out; fields are
left out because pydantic, SQLAlchemy and dataclasses read them by reflection.
"""

import sys
from pathlib import Path

from vulture import Vulture
from vulture.core import Item

PRODUCT = ["backend", "hardhat-free/chainkit"]
USERS = ["tests"]
KINDS = {"function", "method", "class", "property", "import", "unreachable_code"}
ROUTES = ["@*.get", "@*.post", "@*.put", "@*.patch", "@*.delete", "@*.exception_handler", "@*.middleware"]
DECORATORS = [
    *ROUTES,
    "@*.command",
    "@*.callback",
    "@*.listens_for",
    "@compiles",
    "@*_validator",
    "@*_serializer",
]
NAMES = ["process_bind_param", "process_result_value", "rollback"]  # SQLAlchemy: column types, driver
NAMES += ["upgrade", "downgrade"]  # Alembic's versions
NAMES += ["describe", "collect"]  # Prometheus' collectors
NAMES += ["make_request"]  # web3's providers
NAMES += ["load_bytecode", "dump_bytecode"]  # Jinja's cache of compiled templates


def in_product(item: Item) -> bool:
    """Was it found in the product, or in a test?"""
    return any(Path(folder).resolve() in Path(item.filename).resolve().parents for folder in PRODUCT)


def main() -> int:
    """Print each finding as path:line: what; 1 if there is any."""
    vulture = Vulture(ignore_names=NAMES, ignore_decorators=DECORATORS)
    vulture.scavenge([*PRODUCT, *USERS], exclude=["*/node_modules/*"])
    found = [item for item in vulture.get_unused_code() if item.typ in KINDS and in_product(item)]
    for item in found:
        print(f"{item.filename}:{item.first_lineno}: unused {item.typ} {item.name}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
