"""What the closed sets are called, outside of pages: the tables of `names.html`, which pages use too."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import jinja2

from talentseal.web.pages import TEMPLATES

_SOURCE: Final = "names.html"


@dataclass(frozen=True, slots=True)
class Names:
    """Chinese names by the values of the enumerations; kinds by their number."""

    states: Mapping[str, str]
    categories: Mapping[str, str]
    tiers: Mapping[str, str]
    periods: Mapping[str, str]
    kinds: Mapping[int, str]

    def kind(self, number: int) -> str:
        """The name of a kind of evidence, one that is not known here included."""
        return self.kinds.get(number, f"其他（{number}）")


@cache
def chinese() -> Names:
    """The names as they stand in the template, which is written in Chinese."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), extensions=["jinja2.ext.i18n"], autoescape=True
    )
    environment.install_null_translations()  # type: ignore[attr-defined]  # by i18n
    module = environment.get_template(_SOURCE).module
    tables = ("STATES", "CATEGORIES", "TIERS", "PERIODS", "KINDS")
    return Names(*(_plain(getattr(module, table)) for table in tables))


def _plain(table: Mapping[Any, str]) -> dict[Any, str]:
    return {value: str(name) for value, name in table.items()}
