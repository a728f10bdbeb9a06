"""Which fields a set of disclosures shows, once each is found among the digests that commit to them (RFC 9901
§7.1)."""

from collections.abc import Sequence
from functools import partial

from sealproof.canonical import Json
from sealproof.disclosure import digest, read
from sealproof.errors import DisclosureFalse
from sealproof.fields import at


def disclosed_fields(disclosures: Sequence[str], digests: Sequence[str], path: str) -> dict[str, Json]:
    """Name → value of every disclosure.

    digests: what the entry or the terms commit to. Raises DisclosureFalse for one that belongs to something
    else, is given twice, or gives a field a second value; a DecodeError, with `path` in front, for one that
    cannot be read.
    """
    committed, seen = set(digests), set()
    shown: dict[str, Json] = {}
    for place, disclosure in enumerate(disclosures):
        where = f"{path}[{place}]"
        mine = at(where, partial(digest, disclosure))
        if mine not in committed:
            raise DisclosureFalse(f"{where}: its digest {mine} is not among those committed to")
        if mine in seen:
            raise DisclosureFalse(f"{where}: the same disclosure is given twice")
        field = at(where, partial(read, disclosure))
        if field.name in shown:
            raise DisclosureFalse(f"{where}: a second value for the field {field.name!r}")
        seen.add(mine)
        shown[field.name] = field.value
    return shown
