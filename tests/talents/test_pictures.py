"""Of a photo that is sent the picture is kept and nothing else; what is no whole picture is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talentseal.talents import pictures
from tests.talents.pictured import ADOBE, COMMENT, EXIF, GPS, chunk, jpeg, png

TEXTS = ((b"tEXt", b"Author\x00somebody"), (b"eXIf", GPS), (b"iCCP", b"maker"), (b"zzZz", GPS))


def test_where_and_by_what_a_jpeg_was_taken_is_not_kept() -> None:
    plain = jpeg()

    cleaned = pictures.cleaned(jpeg(told=(EXIF, COMMENT, (0xE0, b"JFIF\x00"), (0xE2, GPS))) + GPS)

    assert cleaned is not None
    assert (cleaned.media_type, cleaned.width, cleaned.height) == ("image/jpeg", 120, 160)
    assert cleaned.content == plain


def test_how_the_colours_were_turned_is_kept() -> None:
    longer = (0xEE, ADOBE[1] + GPS)

    kept, lost = (pictures.cleaned(jpeg(told=(each,))) for each in (ADOBE, longer))

    assert kept
    assert kept.content == jpeg(told=(ADOBE,))
    assert lost
    assert lost.content == jpeg()


def test_a_jpeg_of_several_scans_is_kept_whole() -> None:
    whole = jpeg(frame=0xC2)
    place = whole.index(b"\xff\xda")
    scan = whole[place:-2]
    several = whole[:-2] + b"\xff\xff\xfe\x00\x04no" + scan + b"\x01\xff\x00\xff\xd3\x02" + b"\xff\xd9"

    cleaned = pictures.cleaned(several)

    assert cleaned
    assert cleaned.content == whole[:-2] + scan + b"\x01\xff\x00\xff\xd3\x02\xff\xd9"


def test_what_a_png_tells_is_not_kept() -> None:
    cleaned = pictures.cleaned(png(told=TEXTS) + GPS)

    assert cleaned is not None
    assert (cleaned.media_type, cleaned.width, cleaned.height) == ("image/png", 120, 160)
    assert cleaned.content == png()


@pytest.mark.parametrize("make", [jpeg, png])
def test_what_was_cleaned_is_clean(make: object) -> None:
    assert callable(make)
    cleaned = pictures.cleaned(make())

    assert cleaned
    assert pictures.cleaned(cleaned.content) == cleaned


REFUSED = {
    "nothing": b"",
    "a document": b"%PDF-1.7\n%%EOF\n",
    "a page that begins as a PNG": b"\x89PNG\r\n\x1a\n<script>alert(1)</script>",
    "a page that begins as a JPEG": b"\xff\xd8\xff<script>alert(1)</script>",
    "an SVG": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "too narrow a JPEG": jpeg(99, 400),
    "too low a PNG": png(400, 99),
    "too wide a PNG": png(4097, 100),
    "too high a JPEG": jpeg(100, 4097),
    "an arithmetic JPEG": jpeg(frame=0xC9),
    "a lossless JPEG": jpeg(frame=0xC3),
    "a JPEG without an end": jpeg()[:-2],
    "a JPEG without a scan": jpeg()[: jpeg().index(b"\xff\xda")] + b"\xff\xd9",
    "a JPEG of two frames": jpeg()[:-2] + jpeg()[2:],
    "a PNG without pixels": png()[:33] + chunk(b"IEND", b""),
    "a PNG of an unknown critical part": png(told=((b"ABCD", b""),)),
    "a PNG of two headers": png(told=((b"IHDR", png()[16:29]),)),
    "a PNG of a wrong sum": png()[:-1] + b"\x00",
    "a PNG of an impossible depth": png(depth=3),
}


@pytest.mark.parametrize("plain", REFUSED.values(), ids=REFUSED)
def test_what_is_no_photo_is_refused(plain: bytes) -> None:
    assert pictures.cleaned(plain) is None


@given(st.data())
def test_nothing_that_is_cut_or_altered_makes_it_fail(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([jpeg(told=(EXIF,)), png(told=TEXTS[:1])]))
    place = data.draw(st.integers(0, len(whole) - 1))

    pictures.cleaned(whole[:place])
    cleaned = pictures.cleaned(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])

    assert cleaned is None or b"GPS" not in cleaned.content
