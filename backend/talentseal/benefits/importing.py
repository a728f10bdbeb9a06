"""Taking the catalogue in from a sheet: all of it becomes drafts, or nothing does."""

from datetime import datetime

from sqlalchemy.orm import Session

from talentseal.accounts.roles import Actor, Permission
from talentseal.benefits import reading, service, sheets
from talentseal.benefits.models import Benefit, BenefitVersion
from talentseal.benefits.schemas import DraftBenefit, ImportReceipt, SheetProblem, VersionInput
from talentseal.errors import Invalid, TalentSealError


class SheetRefused(Invalid):
    """problems: what each row says wrongly; nothing was taken in."""

    code = "sheet-refused"
    zh = "文件有 {count} 处不符，全部内容均未导入。请逐行更正后重新上传。"
    en = "The file has {count} problems, and nothing of it was taken in; correct the rows and send it again."

    def __init__(self, problems: tuple[SheetProblem, ...]) -> None:
        super().__init__(count=len(problems))
        self.problems = problems


class CategoryFixed(Invalid):
    code = "benefit-category-fixed"
    zh = "权益 {number} 的类别为 {category}，不能更改。如需其他类别，请另用编号。"
    en = "The category of benefit {number} is {category} and stays so; use another number for another one."


def take_in(session: Session, actor: Actor, plain: bytes, *, now: datetime) -> ImportReceipt:
    """Draft what a file says: new benefits, and next versions of known ones that it says otherwise.

    Raises NotPermitted, SheetUnreadable, SheetRefused.
    """
    actor.require(Permission.BENEFIT_OWN)
    sheet = sheets.read(plain)
    found, receipt = list(sheet.problems), ImportReceipt()
    known = {benefit.number: (version, benefit) for version, benefit in reading.newest_own(session, actor)}
    for each in sheet.benefits:
        try:
            taken = _take(session, actor, each.command, known.get(each.command.number), now=now)
        except TalentSealError as refusal:
            said = {"zh": refusal.sentence_zh, "en": refusal.sentence_en}
            found.append(SheetProblem(row=each.row, column="", **said))
        else:
            setattr(receipt, taken, getattr(receipt, taken) + 1)
    if found:
        raise SheetRefused(tuple(found))
    return receipt


def _take(
    session: Session,
    actor: Actor,
    command: DraftBenefit,
    known: tuple[BenefitVersion, Benefit] | None,
    *,
    now: datetime,
) -> str:
    """What has become of one benefit: the name of a count of the receipt."""
    if known is None:
        service.draft(session, actor, command, now=now)
        return "drafted"
    version, benefit = known
    if benefit.category is not command.category:
        raise CategoryFixed(number=benefit.number, category=benefit.category.value)
    if _same(session, version, command.version):
        return "unchanged"
    service.revise(session, actor, benefit.id, command.version, now=now)
    return "revised"


def _same(session: Session, version: BenefitVersion, command: VersionInput) -> bool:
    """Whether a version says the same already."""
    matrix = reading.matrix_of(session, [version.id])[version.id]
    lines = {(row.tier, row.starts_on, row.ends_on, row.quota or 0) for row in matrix}
    outlets = set(reading.outlets_of(session, [version.id])[version.id])
    if lines != set(command.lines()) or outlets != set(command.outlets):
        return False
    said = service.columns_of(command)
    return said == {name: getattr(version, name) for name in said}


def export(session: Session, actor: Actor, form: sheets.Format) -> bytes:
    """The newest version of each of the actor's benefits as a file. Raises NotPermitted."""
    found = reading.newest_own(session, actor)
    ids = [version.id for version, _ in found]
    matrix, outlets = reading.matrix_of(session, ids), reading.outlets_of(session, ids)
    return sheets.write(
        [(version, benefit, matrix[version.id], outlets[version.id]) for version, benefit in found], form
    )
