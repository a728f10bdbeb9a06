"""The verification page as one file that needs no service: script, style and both languages inside.

The same release makes the same bytes, whatever service hands it out, so that its SHA-256 can be compared.
"""

import base64
import hashlib
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final

from markupsafe import Markup

from talentseal.web.assets import Assets
from talentseal.web.language import Language
from talentseal.web.onefile import merged
from talentseal.web.pages import Pages

NAME: Final = "talentseal-verify.html"
_STYLES: Final = ("lone.css", "talentseal.css", "verify.css")


@dataclass(frozen=True, slots=True)
class LonePage:
    """The file. sha256: lower-case hex."""

    content: bytes
    sha256: str

    @property
    def kibibytes(self) -> int:
        """Its length, rounded up."""
        return -(-len(self.content) // 1024)


def lone_page(pages: Pages, assets: Assets) -> LonePage:
    """Put the file together. Raises NotMergeable."""
    files = assets.named()
    sources = {name: asset.content.decode() for name, asset in files.items() if name.endswith(".js")}
    script = merged("verify/lone.js", sources)
    style = "\n".join(files[name].content.decode() for name in _STYLES)
    content = pages.text(
        Language.ZH,
        "audit/offline.html",
        policy=_policy(script, style),
        style=Markup(style),  # noqa: S704 - our own files
        script=Markup(script),  # noqa: S704 - our own files
        languages=[_body(pages, language) for language in Language],
    ).encode()
    return LonePage(content, hashlib.sha256(content).hexdigest())


def _body(pages: Pages, language: Language) -> dict[str, Any]:
    body = pages.text(language, "audit/lone.html", version=version("talentseal"))
    return {"language": language, "body": Markup(body)}  # noqa: S704 - rendered from our own template


def _policy(script: str, style: str) -> str:
    """Nothing is loaded; asked is only the node that the visitor names."""
    return (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)};"
        " connect-src http: https:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
