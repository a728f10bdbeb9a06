"""Texts and files' addresses are in a compiled template already; what a page adds to them is escaped."""

import jinja2
import pytest

from talentseal.web import compiling

TEXTS = {"你好": "Hello", "%(name)s 的 <b>": "<b> of %(name)s", "100%%": "100%%"}


def rendered(source: str, **values: object) -> str:
    loader = jinja2.DictLoader({"page": source})
    made = compiling.environment(loader, TEXTS.__getitem__, lambda name: f"/static/1/{name}")
    return made.get_template("page").render(values)


def test_a_text_is_said_as_it_is_translated_and_a_value_in_it_is_escaped() -> None:
    assert rendered("{{ _('你好') }} {{ _('100%%') }}") == "Hello 100%"
    assert rendered("{{ _('%(name)s 的 <b>', name=who) }}", who="<i>") == "<b> of &lt;i&gt;"


def test_a_value_that_is_not_given_is_an_error_and_no_empty_text() -> None:
    with pytest.raises(jinja2.UndefinedError):
        rendered("{{ _('%(name)s 的 <b>', name=who) }}")


def test_an_address_of_a_file_is_put_in() -> None:
    assert rendered("{{ asset('seal.svg') }}") == "/static/1/seal.svg"


@pytest.mark.parametrize("call", ["_(who)", "_('你' ~ '好')", "asset(who)", "_('你好', 'x')"])
def test_what_is_known_only_on_a_page_is_refused_before_any_page(call: str) -> None:
    with pytest.raises(jinja2.TemplateAssertionError):
        rendered(f"{{{{ {call} }}}}")


def test_a_text_without_translation_is_refused_before_any_page() -> None:
    with pytest.raises(KeyError):
        rendered("{% if false %}{{ _('再见') }}{% endif %}")
