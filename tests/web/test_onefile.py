"""Scripts of pages that become one file, and what those of the verification page may contain."""

import re
from pathlib import Path

import pytest

from talentseal.web.onefile import NotMergeable, merged
from tests.web.node import MODULES

STATIC = MODULES.parent
SCRIPTS = sorted((STATIC / "verify").glob("*.js"))
SOURCES = {path.relative_to(STATIC).as_posix(): path.read_text("utf-8") for path in STATIC.rglob("*.js")}


def test_modules_are_put_in_order_and_each_once() -> None:
    sources = {
        "a/top.js": '"use strict";\nimport { b } from "./b.js";\nimport { c } from "../c.js";\nuse(b, c);\n',
        "a/b.js": 'import {\n  c,\n} from "../c.js";\nexport const b = c + 1;\n',
        "c.js": "export const c = 1;\n",
    }

    assert merged("a/top.js", sources) == "const c = 1;\n\nconst b = c + 1;\n\nuse(b, c);\n"


def test_a_bare_script_is_the_same_without_its_comments() -> None:
    source = '/**\n * What * and / it does.\n */\nconst a = 1; // why\n  // a line\nconst b = "/** no */";\n'

    assert merged("a.js", {"a.js": source}, bare=True) == 'const a = 1; // why\nconst b = "/** no */";\n'


@pytest.mark.parametrize(
    "source",
    [
        "const name = 1;\nfunction name() {}\n",
        'import name from "./other.js";\n',
        'const text = "</script>";\n',
        "const text = '<!--';\n",
    ],
)
def test_what_cannot_stand_in_one_script_element_is_refused(source: str) -> None:
    with pytest.raises(NotMergeable):
        merged("a.js", {"a.js": source})


def test_the_verification_page_fits_into_one_file() -> None:
    whole = merged("verify/lone.js", SOURCES)

    assert "class DeskView" in whole
    assert "async function verify(" in whole


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_of_the_page_is_strict_and_makes_no_markup_of_text(script: Path) -> None:
    source = script.read_text("utf-8")

    assert source.startswith('"use strict";\n')
    assert max(map(len, source.splitlines())) <= 120
    assert re.findall(r"[\u4e00-\u9fff]{2,}", source.replace("用 --rpc", "")) == []
    forbidden = r"\beval\(|new Function|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\.style\b"
    assert not re.search(forbidden, source)
    assert len(re.findall(r"\bfetch\(", source)) == (1 if script.name == "service.js" else 0)


def test_every_text_that_the_scripts_say_stands_on_the_page() -> None:
    texts = (STATIC.parent / "templates/audit/desk_texts.html").read_text("utf-8")
    known = set(re.findall(r'"([a-z][\w.-]*)": _\(', texts))
    source = "\n".join(script.read_text("utf-8") for script in SCRIPTS)
    said, quoted = (set(re.findall(form, source)) for form in (r'\bsay\("([^"]+)"', r'"([a-z][\w.-]*)"'))
    composed = set(re.findall(r"\bsay(?:Or)?\(`([a-z]+)\.\$", source))

    assert said <= known
    assert {name for name in known - quoted if name.split(".")[0] not in composed} == set()
