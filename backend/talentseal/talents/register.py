"""Numbers that another office shares, so that a talent's need not be believed or asked for twice.

The big-data bureau imports them; keyed digests of the numbers are kept, never the numbers. A register that is
empty says nothing about anybody.
"""

import csv
import io
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, exists, select
from sqlalchemy.dialects.postgresql import insert as insert_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_sqlite
from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor, Permission
from talentseal.db import is_sqlite, rows
from talentseal.errors import Invalid
from talentseal.talents.models import RegisterKind, SharedRegister
from talentseal.talents.schemas import Content, ImportReport, RefusedRow, RowFault
from talentseal.vault import Vault

IMPORT_LIMIT: Final = 5 * 1024 * 1024
HEADER: Final = ("kind", "number")
_LONGEST: Final = 200
_AT_ONCE: Final = 1000

NOT_HELD: Final = "毕业证书编号与教育部门共享数据不一致，请核对证书编号后更正。"
"""What the talent is told when the register lacks his certificate; in the language of the office."""


class RegisterUnreadable(Invalid):
    code = "register-unreadable"
    zh = "文件不是 UTF-8 编码、首行为 kind,number 的 CSV，或超过 5 MiB。请按格式重新导出，或分几次导入。"
    en = "This is no CSV in UTF-8, up to 5 MiB, that begins with kind,number; export it again, or in parts."


def import_csv(session: Session, actor: Actor, vault: Vault, raw: bytes, *, now: datetime) -> ImportReport:
    """Take in a register, row by row: what is good is kept, what is not is named by its line.

    May be repeated with the same file or a corrected one. Raises NotPermitted, RegisterUnreadable.
    """
    actor.require(Permission.REGISTER_IMPORT)
    if len(raw) > IMPORT_LIMIT:
        raise RegisterUnreadable
    found: dict[tuple[RegisterKind, str], None] = {}
    refused: list[RefusedRow] = []
    for line, row in _rows(raw):
        read = _read(row)
        if isinstance(read, RowFault):
            refused.append(RefusedRow(line=line, fault=read))
        else:
            found[read[0], vault.digest("register", f"{read[0].value}|{read[1]}")] = None
    insert = insert_sqlite if is_sqlite(session) else insert_postgresql
    lines = [
        {"kind": kind, "number_digest": digest, "imported_at": now, "imported_by": actor.account_id}
        for kind, digest in found
    ]
    added = 0
    for part in (lines[start : start + _AT_ONCE] for start in range(0, len(lines), _AT_ONCE)):
        # Two imports at once meet at the primary key; a number that is there already stays as it is.
        entering = insert(SharedRegister).values(part).on_conflict_do_nothing()
        added += len(session.execute(entering.returning(SharedRegister.number_digest)).all())
    return ImportReport(added=added, known=len(found) - added, refused=refused)


def holds(session: Session, vault: Vault, kind: RegisterKind, number: str) -> bool | None:
    """Whether the register has the number; None while it has none of that kind."""
    digest = vault.digest("register", f"{kind.value}|{spelled(number)}")
    ((any_of_kind, this),) = rows(session, _HELD, kind=kind, number=digest)
    return this if any_of_kind else None


_OF_KIND: Final = exists().where(SharedRegister.kind == bindparam("kind"))
_HELD: Final = select(_OF_KIND, _OF_KIND.where(SharedRegister.number_digest == bindparam("number")))


def certificate(session: Session, vault: Vault, entered: Content) -> bool | None:
    """Whether the register has the graduation certificate that was entered; None: there is none, or it cannot
    tell.
    """
    if entered.education is None:
        return None
    number = entered.education.certificate_number
    return holds(session, vault, RegisterKind.GRADUATION_CERTIFICATE, number)


def spelled(number: str) -> str:
    """The one spelling under which a number is kept and looked for."""
    return "".join(unicodedata.normalize("NFKC", number).upper().split())


def _rows(raw: bytes) -> Iterator[tuple[int, list[str]]]:
    """The lines below the header by their number in the file, empty ones left out."""
    try:
        reader = csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True)
        if tuple(cell.strip() for cell in next(reader, [])) != HEADER:
            raise RegisterUnreadable
        for row in reader:
            if row:
                yield reader.line_num, row
    except (UnicodeDecodeError, csv.Error):
        raise RegisterUnreadable from None


def _read(row: list[str]) -> tuple[RegisterKind, str] | RowFault:
    if len(row) != len(HEADER):
        return RowFault.CELLS
    kind, number = row[0].strip(), spelled(row[1])
    if kind not in set(RegisterKind):
        return RowFault.KIND
    if not number or len(number) > _LONGEST or not number.isprintable():
        return RowFault.NUMBER
    return RegisterKind(kind), number
