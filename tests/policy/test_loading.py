"""The files that ship: the measures of 2023 word for word, and a successor that nobody takes for real."""

import re
from datetime import date
from pathlib import Path

import pytest

from talentseal.accounts.roles import Actor
from talentseal.demonstration import scheme
from talentseal.demonstration.scheme import SUCCESSOR
from talentseal.policy import loading, reading, service
from talentseal.policy.effects import Deed, Verdict
from talentseal.policy.loading import MEASURES_2023, FileRefused
from talentseal.policy.states import InstrumentState
from tests.policy.conftest import Office
from tests.world import World

FICTIONAL = re.compile("虚构|演示")


def test_the_measures_of_2023_are_whole() -> None:
    text = loading.read(MEASURES_2023)

    assert len(text.articles) == 22
    assert text.valid_through == date(2025, 5, 25)
    assert text.articles[21].text == "本办法自发布之日起施行,有效期2年。"
    assert [note.article for note in text.interpretations] == [22]
    assert all(article.gloss for article in text.articles)
    assert len({article.chapter for article in text.articles}) == 5


def test_the_successor_says_everywhere_that_it_is_invented() -> None:
    text = loading.read(SUCCESSOR)

    named = [text.title, text.issuer, text.document_number, *text.legal_basis]
    named += [article.chapter for article in text.articles] + [text.articles[0].text]
    assert [name for name in named if not FICTIONAL.search(name)] == []


@pytest.mark.parametrize("file", [MEASURES_2023, SUCCESSOR], ids=["2023", "successor"])
def test_every_deed_that_an_instrument_can_carry_has_its_article(file: Path) -> None:
    carried = {deed for article in loading.read(file).articles for deed in article.deeds}

    assert carried == {
        Deed.NEW_CODE,
        Deed.NEW_TIER,
        Deed.GOVERNMENT_BENEFIT,
        Deed.GOVERNMENT_REDEMPTION,
        Deed.NEW_SUSPENSION_RULE,
        Deed.FINANCIAL_REDEMPTION,
        Deed.CONSUMPTION_REDEMPTION,
    }


def test_the_measures_of_2023_alone_block_what_their_expiry_blocks(office: Office) -> None:
    now = office.world.clock.now()
    text = loading.read(MEASURES_2023)
    office.write(lambda session: service.enter(session, Actor.console(), text, now=now))

    met = office.world.database.read(lambda session: reading.overview(session, now=now))

    assert [each.state for each in met.versions] == [InstrumentState.EXPIRED]
    verdicts = {each.deed: (each.verdict, each.article) for each in met.standings}
    assert verdicts[Deed.NEW_CODE] == (Verdict.BLOCKED, 6)
    assert verdicts[Deed.GOVERNMENT_BENEFIT] == (Verdict.BLOCKED, 8)
    assert verdicts[Deed.CONSUMPTION_REDEMPTION] == (Verdict.BY_AGREEMENT, 10)


def test_the_demonstration_stands_on_the_successor_however_often_it_is_set_up(world: World) -> None:
    now = world.clock.now()
    for _ in range(2):
        scheme.load_instruments(world.database, now=now)

    met = world.database.read(lambda session: reading.overview(session, now=now))

    assert [(each.number, each.state) for each in met.versions] == [
        (2, InstrumentState.IN_FORCE),
        (1, InstrumentState.EXPIRED),
    ]
    assert Verdict.BLOCKED not in {each.verdict for each in met.standings}


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("title = ", "TOML"),
        ("", "title"),
        (
            MEASURES_2023.read_text("utf-8").replace("valid_through = 2025", "valid_through = 2022"),
            "valid_through",
        ),
        (MEASURES_2023.read_text("utf-8").replace("number = 22", "number = 23"), "articles"),
        (None, "TOML"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_field(
    tmp_path: Path, content: str | None, place: str
) -> None:
    file = tmp_path / "measures.toml"
    if content is not None:
        file.write_text(content, "utf-8")

    with pytest.raises(FileRefused) as refused:
        loading.read(file)

    assert (refused.value.params["file"], refused.value.params["place"]) == ("measures.toml", place)
