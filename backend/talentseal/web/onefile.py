"""Script modules put into one: what a page that is a single file carries inside itself.

Modules import only by `import { a, b } from "./other.js";` and export only what they define: putting them in
order and leaving both out is all it takes, as long as no two define the same name.
"""

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

_IMPORT: Final = re.compile(r'^import \{[^}]*\} from "(\.{1,2}/[^"]+)";\n', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export ", re.MULTILINE)
_STRICT: Final = re.compile(r'^"use strict";\n', re.MULTILINE)
_TOP: Final = re.compile(
    r"^(?:async )?(?:const|let|class|function\*?) (\w+|\[[^\]]*\]|\{[^}]*\})", re.MULTILINE
)
_COMMENT: Final = re.compile(r"^ *(?:/\*\*(?:[^*]|\*(?!/))*\*/|//[^\n]*)\n", re.MULTILINE)
_ENDS_A_SCRIPT: Final = re.compile(r"</script|<!--", re.IGNORECASE)


class NotMergeable(ValueError):
    """The modules cannot become one file: two define a name, or a text would end the script element."""


def merged(entry: str, sources: Mapping[str, str], *, bare: bool = False) -> str:
    """The entry module with all that it imports, each once, as one module for a script element.

    bare: without the comments that have lines of their own, which are a quarter of the weight.
    sources: text of each module by its path. Raises NotMergeable, KeyError for a module that is not there.
    """
    bodies = [_body(sources[name]) for name in _in_order(entry, sources, set())]
    whole = "\n".join(bodies)
    twice = [name for name, count in Counter(_defined(whole)).items() if count > 1]
    if twice:
        raise NotMergeable(f"defined by two modules: {', '.join(sorted(twice))}")
    if _ENDS_A_SCRIPT.search(whole) or re.search(r"^import\b", whole, re.MULTILINE):
        raise NotMergeable("a module imports in another form, or holds what would end its script element")
    return _COMMENT.sub("", whole) if bare else whole


def _in_order(name: str, sources: Mapping[str, str], seen: set[str]) -> Iterator[str]:
    """A module behind all that it needs."""
    seen.add(name)
    for relative in _IMPORT.findall(sources[name]):
        needed = posixpath.normpath(posixpath.join(posixpath.dirname(name), relative))
        if needed not in seen:
            yield from _in_order(needed, sources, seen)
    yield name


def _body(source: str) -> str:
    return _EXPORT.sub("", _STRICT.sub("", _IMPORT.sub("", source)))


def _defined(source: str) -> Iterator[str]:
    for found in _TOP.findall(source):
        yield from re.findall(r"\w+", found)
