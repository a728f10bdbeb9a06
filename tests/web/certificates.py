"""PDFs with attachments, as the typesetter of certificates makes them."""

import json
from typing import Literal

import typst

Standard = Literal["1.7", "2.0", "a-3b", "a-3u"]
"""As typst names them."""

SOURCE = b"""
#set document(title: "t")
#for (name, text) in json(bytes(sys.inputs.files)) {
  pdf.attach(name, bytes(text), relationship: "data", mime-type: "application/json", description: "proof")
}
Certificate
"""


def pdf_with(files: dict[str, bytes], *, standard: Standard = "a-3b") -> bytes:
    """A PDF that carries these files."""
    given = json.dumps({name: raw.decode() for name, raw in files.items()})
    return typst.compile(
        SOURCE, sys_inputs={"files": given}, pdf_standards=[standard], timestamp=1_795_420_800
    )
