"""Everything a person can read is there in Korean: nothing missing, nothing guessed, every value in its place."""

from __future__ import annotations

import re

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from config.messages import LOCALE, marked, update_catalogue

HANGUL = re.compile("[가-힣]")
PLACE = re.compile(r"%\(\w+\)[sd]|%%|\{\w*(?::[^}]*)?\}|</?\w+[^>]*>")
# What is the same in every language: names, formulas, a heading that is an abbreviation.
SAME = {"API", "ISNI", "%(rest)s × %(weight)s ÷ %(total)s", "%(kind)s: %(name)s"}


@pytest.fixture(scope="module")
def korean() -> Catalog:
    with (LOCALE / "ko" / "LC_MESSAGES" / "django.po").open("rb") as stream:
        return read_po(stream, locale="ko", abort_invalid=True)


@pytest.fixture(scope="module")
def texts() -> list[Message]:
    return [message for message in marked() if message.id]


def first(value: object) -> str:
    return value[0] if isinstance(value, tuple | list) else str(value)


def place(message: Message) -> str:
    return f"{message.locations[0][0]}: {first(message.id)!r}" + (f" ({message.context})" if message.context else "")


def test_every_text_is_found_in_code_and_templates(texts: list[Message]) -> None:
    found = {(message.context, first(message.id)) for message in texts}
    assert (None, "Skip to the content") in found, "a template's {% translate %}"
    assert (None, "%(unread)s unread notice") in found, "a template's {% blocktranslate count %}"
    assert (None, "Nothing has happened yet") in found, "_() in a template"
    assert ("navigation", "Works") in found, "pgettext in Python"
    assert (None, "A journal has at least one posting.") in found, "say() of the pure floors"


def test_every_text_has_a_korean_translation(texts: list[Message], korean: Catalog) -> None:
    missing = []
    for message in texts:
        known = korean.get(message.id, message.context)
        if known is None or not first(known.string or "") or known.fuzzy:
            missing.append(place(message))
        elif not HANGUL.search(first(known.string)) and first(message.id) not in SAME:
            missing.append(f"{place(message)} is not Korean: {first(known.string)!r}")
    assert not missing, "Run `python -m config.messages --update`, then translate:\n" + "\n".join(missing)


def test_every_value_keeps_its_place(korean: Catalog) -> None:
    wrong = []
    for message in korean:
        if message.id:
            said = message.id[1] if isinstance(message.id, tuple) else message.id
            if set(PLACE.findall(first(message.string))) != set(PLACE.findall(said)):
                wrong.append(f"{place(message)} → {first(message.string)!r}")
    assert not wrong, "\n".join(wrong)


def test_nothing_is_kept_that_the_product_no_longer_says(texts: list[Message], korean: Catalog) -> None:
    said = {(message.context, first(message.id)) for message in texts}
    stale = [first(m.id) for m in korean if m.id and (m.context, first(m.id)) not in said]
    assert not stale, "Run `python -m config.messages --update`:\n" + "\n".join(stale)


def test_an_update_adds_what_is_new_and_keeps_what_is_known(tmp_path) -> None:
    source = tmp_path / "ko" / "LC_MESSAGES" / "django.po"
    source.parent.mkdir(parents=True)
    header = (
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n'
    )
    source.write_text(header + '\nmsgid "Sign in"\nmsgstr "로그인"\n\nmsgid "Gone"\nmsgstr "없음"\n', encoding="utf-8")
    update_catalogue(source)
    with source.open("rb") as stream:
        updated = read_po(stream, locale="ko")
    assert updated["Sign in"].string == "로그인"
    assert "Gone" not in updated
    assert updated["Sign out"].string == ""
