"""What pages of talents and of their office are to show, entered once for a whole run."""

from sqlalchemy.orm import Session

from talentseal.accounts import demonstration
from talentseal.policy.tiers import Tier
from talentseal.talents import deciding, recognitions
from talentseal.talents.models import DocumentKind
from talentseal.talents.schemas import Claim, Defect, Part, Return
from tests.talents.conftest import People, high, office

BASE = (DocumentKind.IDENTITY, DocumentKind.WORK_IN_AREA)


def filed(crowd: People) -> dict[str, str]:
    """Names that addresses are filled with, measures being in force.

    application: one under review; submitted: one that nobody has taken up; recognition: one that waits for
    its second person; drafting: account of a talent whose application came back.
    """
    youth = Claim(tier=Tier.YOUTH)
    papers = (*BASE, DocumentKind.GRADUATION)
    returned, talent = crowd.talent(), crowd.talent()
    row = crowd.taken_up(returned, claim=youth, papers=papers)
    send_back(crowd, row.id, Defect(part=Part.WORK, text="请补充劳动合同起始页。（虚构）"))
    cast(crowd, returned.account_id)
    holder = crowd.holder(claim=high())
    talent_id = crowd.id_of(holder)
    read = crowd.world.database.read
    return {
        "application": crowd.taken_up(crowd.talent(), claim=youth, papers=papers).id,
        "submitted": crowd.submit(talent, crowd.entered(talent)).id,
        "recognition": read(lambda session: recognitions.of_talent(session, talent_id)[0].id),
        "drafting": returned.account_id,
    }


def send_back(crowd: People, application: str, *defects: Defect) -> None:
    """Return an application that is under review."""
    now, command = crowd.world.clock.now(), Return(defects=defects)
    crowd.world.database.write(
        lambda session: deciding.send_back(session, office(), crowd.vault, application, command, now=now).id
    )


def cast(crowd: People, account: str) -> None:
    """Let somebody be signed in as the demonstration's people are."""

    def write(session: Session) -> None:
        demonstration.cast_as(session, account, 900, "云舟（虚构人物）")

    crowd.world.database.write(write)
