"""Somebody's browser, as the pages meet it."""

from typing import Any, Final

from talentseal.talents.people import NOTICE_VERSION
from tests.api.conftest import Api
from tests.api.in_process import client_of

HTML: Final = {"Accept": "text/html", "Accept-Language": "zh-CN"}
PASSWORD: Final = "一句足够长的虚构口令吧！"


class Browser:
    """A client with cookies of its own, which follows no redirect."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.http = client_of(api.app, headers=HTML, follow_redirects=False)

    def get(self, path: str) -> Any:
        return self.http.get(path)

    def post(self, path: str, **options: Any) -> Any:
        return self.http.post(path, **options)

    def be(self, account: str) -> "Browser":
        """Be signed in to an account; itself."""
        name, token = self._api.session_of(account)
        self.http.cookies.set(name, token)
        return self

    def sign_up(self, name: str, **changes: str) -> Any:
        """Send the form of `/sign-up`."""
        form = {"name": name, "password": PASSWORD, "repeated": PASSWORD, "notice": NOTICE_VERSION}
        return self.post("/sign-up", data={**form, **changes})
