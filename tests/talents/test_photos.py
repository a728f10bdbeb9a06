"""A holder's photo: his own to put, replace and take away; sealed, told, destroyed."""

from pathlib import Path

import pytest

from talentseal.errors import NotPermitted
from talentseal.talents import photos
from talentseal.talents.photos import PHOTO_LIMIT, PhotoNotFound, PhotoRefused
from talentseal.talents.privacy_models import TalentPhoto
from tests.api.conftest import Api
from tests.talents.conftest import People, office
from tests.talents.pictured import EXIF, GPS, jpeg, png
from tests.talents.test_privacy import do, erase, export
from tests.talents.test_rights_pages import Browser, holder_of


def test_a_photo_is_kept_sealed_and_without_its_metadata(crowd: People) -> None:
    holder, now = crowd.holder(), crowd.world.clock.now()

    row = do(crowd, lambda session: photos.put(session, holder, crowd.vault, jpeg(told=(EXIF,)), now=now))

    assert (row.media_type, row.width, row.height, row.size) == ("image/jpeg", 120, 160, len(jpeg()))
    assert b"JFIF" not in row.sealed
    assert GPS not in row.sealed
    assert jpeg()[:20] not in row.sealed
    seen = do(crowd, lambda session: photos.own_picture(session, holder, crowd.vault))
    assert seen.content == jpeg()


def test_a_photo_is_replaced_and_removed_by_its_holder(sqlite_crowd: People) -> None:
    crowd, now = sqlite_crowd, sqlite_crowd.world.clock.now()
    holder, other = crowd.holder(), crowd.holder()
    do(crowd, lambda session: photos.put(session, holder, crowd.vault, jpeg(), now=now))
    do(crowd, lambda session: photos.put(session, holder, crowd.vault, png(), now=now))

    seen = do(crowd, lambda session: photos.own_picture(session, holder, crowd.vault))
    assert seen.media_type == "image/png"
    assert do(crowd, lambda session: photos.own(session, other)) is None
    with pytest.raises(NotPermitted):
        do(crowd, lambda session: photos.put(session, office(), crowd.vault, jpeg(), now=now))
    for _ in range(2):
        do(crowd, lambda session: photos.remove(session, holder))
    with pytest.raises(PhotoNotFound):
        do(crowd, lambda session: photos.own_picture(session, holder, crowd.vault))


@pytest.mark.parametrize(
    "plain", [b"", b"%PDF-1.7", b"\xff\xd8\xff<svg>", png(50, 50), png() + bytes(PHOTO_LIMIT)]
)
def test_what_is_no_photo_or_too_long_is_refused(sqlite_crowd: People, plain: bytes) -> None:
    crowd, holder = sqlite_crowd, sqlite_crowd.holder()

    with pytest.raises(PhotoRefused) as refusal:
        do(
            crowd,
            lambda session: photos.put(session, holder, crowd.vault, plain, now=crowd.world.clock.now()),
        )

    assert refusal.value.params["kilobytes"] == 512


def test_a_photo_is_part_of_what_is_told_and_of_what_is_destroyed(crowd: People) -> None:
    holder, now = crowd.holder(), crowd.world.clock.now()
    do(crowd, lambda session: photos.put(session, holder, crowd.vault, jpeg(), now=now))
    talent = crowd.id_of(holder)

    (told,) = export(crowd, holder).holdings["photo"]
    assert (told["media_type"], told["address"]) == ("image/jpeg", "/me/photo/picture")
    erase(crowd, holder)

    assert crowd.world.database.read(lambda session: session.get(TalentPhoto, talent)) is None


def test_the_pages_and_the_api_put_and_take_it_away(sqlite_crowd: People, tmp_path: Path) -> None:
    api = Api(sqlite_crowd.world, tmp_path)
    member = holder_of(sqlite_crowd)
    browser = Browser(api, member)
    assert "还没有照片" in browser.page("/me/photo")

    assert browser.send("/me/photo", files={"photo": ("x.png", png(), "image/png")}).startswith("/me/photo")
    page = browser.page("/me/photo")
    assert "现在没有单位可以看到" in page
    picture = browser.http.get("/me/photo/picture")
    assert (picture.content, picture.headers["content-type"]) == (png(), "image/png")
    assert "sandbox" in picture.headers["content-security-policy"]
    refused = browser.send("/me/photo", 422, files={"photo": ("x.png", b"GIF89a", "image/png")})
    assert "512 kB" in refused
    assert "512 kB" in browser.send("/me/photo", 422, data={})
    browser.send("/me/photo/removal")
    browser.page("/me/photo/picture", 404)
    assert browser.http.get("/me/photo/removal", follow_redirects=False).headers["location"] == "/me/photo"

    key = {"Authorization": f"Bearer {api.key_of(member)}"}
    put = api.call(None, "POST", "/me/photo", files={"photo": ("x.jpg", jpeg(told=(EXIF,)))}, headers=key)
    assert put.status_code == 200, put.text
    assert put.json()["photo"]["size"] == len(jpeg())
    assert api.call(None, "GET", "/me/photo/picture", headers=key).content == jpeg()
    assert api.call(None, "POST", "/me/photo/removal", headers=key).json() == {"photo": None}
    assert api.call(None, "GET", "/me/photo", headers=key).json() == {"photo": None}
