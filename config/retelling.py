"""Sentences that were stored in English, by a worker for example, said again in the reader's language.

What fails in the background is kept as the English sentence that was said then. The catalogue knows every sentence as a
template, so the template that made it is found again, with the values it was filled with.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from babel.messages.pofile import read_po
from django.utils.translation import get_language, gettext

from config.messages import LOCALE

_PLACE = re.compile(r"%\((\w+)\)[sd]|\{(\w+)(?::[^}]*)?\}")
_LEAST_LETTERS = 5  # a template with fewer of its own would fit nearly anything


@dataclass(frozen=True, slots=True)
class _Template:
    text: str
    own_letters: int
    pattern: re.Pattern[str]


def retold(sentence: str) -> str:
    """The sentence in the reader's language; as it is where no template of the catalogue made it.

    Values that are themselves sentences or words of the catalogue (`5,000 tokens of book for training`) are said again too.
    """
    sentence = str(sentence)
    language = (get_language() or "en").partition("-")[0]
    if language == "en" or not sentence.strip():
        return sentence
    known = gettext(sentence)
    if known != sentence:
        return known
    for template in _templates(language):
        if found := template.pattern.fullmatch(sentence):
            return _filled(gettext(template.text), {name: retold(value) for name, value in found.groupdict().items()})
    return sentence


def _filled(text: str, values: dict[str, str]) -> str:
    return _PLACE.sub(lambda place: values.get(place[1] or place[2], place[0]), text).replace("%%", "%")


@lru_cache
def _templates(language: str) -> tuple[_Template, ...]:
    """Every text of the catalogue with places for values, those with most words of their own first."""
    with (LOCALE / language / "LC_MESSAGES" / "django.po").open("rb") as stream:
        texts = {message.id for message in read_po(stream) if isinstance(message.id, str)}
    found = [_template(text) for text in texts if _PLACE.search(text)]
    return tuple(sorted((t for t in found if t.own_letters >= _LEAST_LETTERS), key=lambda t: (-t.own_letters, t.text)))


def _template(text: str) -> _Template:
    pattern, at, seen, own = "", 0, set(), ""
    for place in _PLACE.finditer(text):
        name = place[1] or place[2]
        literal = text[at : place.start()].replace("%%", "%")
        pattern += re.escape(literal) + (f"(?P={name})" if name in seen else f"(?P<{name}>.+?)")
        own, at = own + literal, place.end()
        seen.add(name)
    rest = text[at:].replace("%%", "%")
    letters = sum(character.isalpha() for character in own + rest)
    return _Template(text, letters, re.compile(pattern + re.escape(rest), re.DOTALL))
