"""Reads an untrusted JSON document: every problem is kept with its JSON pointer, so that all are told at once. Pure."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from accounts.identity.core import Refusal, gettext_noop
from licensing import terms

MAX_BYTES: Final = 1_000_000
_DECIMAL: Final = re.compile(r"(0|[1-9][0-9]{0,14})(\.[0-9]{1,12})?")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at one place of a document. `template` takes `values` by `str.format`."""

    pointer: str
    code: str
    template: str
    values: Mapping[str, str]

    @property
    def detail(self) -> str:
        return self.template.format(**self.values)


class BadDocument(Refusal):
    """A document that cannot be used, with every problem found in it."""

    def __init__(self, code: str, summary: str, problems: Collection[Problem]) -> None:
        self.summary, self.problems = summary, tuple(problems)
        super().__init__(
            code,
            summary.format(count=len(self.problems)),
            errors=[{"pointer": p.pointer, "code": p.code, "detail": p.detail} for p in self.problems],
        )

    def translated(self, gettext: Callable[[str], str]) -> BadDocument:
        """The same refusal in the reader's language."""
        problems = [replace(problem, template=gettext(problem.template)) for problem in self.problems]
        return BadDocument(self.code, gettext(self.summary), problems)


def escaped(key: str) -> str:
    """A key as one part of a JSON pointer (RFC 6901)."""
    return speakable(key).replace("~", "~0").replace("/", "~1")


def speakable(text: str) -> str:
    """Untrusted text, shortened, with what UTF-8 cannot carry written as an escape, so that a message can quote it."""
    return text[:60].encode("utf-8", "backslashreplace").decode()


class Reader:
    """Checks values one by one; each method gives the value, or None after noting why it cannot be used."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def fail(self, pointer: str, code: str, template: str, **values: object) -> Any:
        """Note a problem. Gives None, so that a check can end with it."""
        self.problems.append(Problem(pointer, code, template, {k: str(v) for k, v in values.items()}))

    def object(
        self, value: Any, pointer: str, *, required: Collection[str], optional: Collection[str] = ()
    ) -> dict[str, Any] | None:
        """An object with these keys; others are refused, so that a misspelt key never changes a price silently."""
        if not isinstance(value, dict):
            return self.fail(pointer, "not_an_object", gettext_noop("Write an object in braces here."))
        for key in value:
            if key not in required and key not in optional:
                known = ", ".join([*required, *optional])
                self.fail(
                    f"{pointer}/{escaped(str(key))}",
                    "unknown_key",
                    gettext_noop("“{key}” is not a key of this object. Known keys: {known}."),
                    key=speakable(str(key)),
                    known=known,
                )
        for key in required:
            if key not in value:
                self.fail(f"{pointer}/{key}", "missing", gettext_noop("“{key}” is missing."), key=key)
        return value

    def list(self, value: Any, pointer: str, *, most: int) -> list[Any] | None:
        if not isinstance(value, list) or not value:
            return self.fail(pointer, "not_a_list", gettext_noop("Write a list with at least one entry here."))
        if len(value) > most:
            return self.fail(pointer, "too_many", gettext_noop("At most {most} entries are allowed here."), most=most)
        return value

    def text(self, value: Any, pointer: str, *, most: int, pattern: re.Pattern[str] | None = None) -> str | None:
        if not isinstance(value, str) or not value.strip():
            return self.fail(pointer, "not_text", gettext_noop("Write a text here."))
        if len(value) > most:
            return self.fail(
                pointer, "too_long", gettext_noop("At most {most} characters are allowed here."), most=most
            )
        if not value.isprintable():
            return self.fail(
                pointer, "not_printable", gettext_noop("This text has a character that cannot be printed.")
            )
        if pattern and not pattern.fullmatch(value):
            return self.fail(
                pointer, "bad_form", gettext_noop("Use letters, digits, dots, dashes and underscores only.")
            )
        return value

    def figure(self, value: Any, pointer: str) -> str | None:
        """The name of a figure that licensees declare as `name=number`."""
        name = self.text(value, pointer, most=40)
        if name is not None and "=" in name:
            return self.fail(pointer, "bad_form", gettext_noop("The name of a declared figure has no equals sign."))
        return name

    def integer(self, value: Any, pointer: str, *, least: int, most: int) -> int | None:
        if isinstance(value, bool) or not isinstance(value, int):
            return self.fail(pointer, "not_an_integer", gettext_noop("Write a whole number without quotes here."))
        if not least <= value <= most:
            return self.fail(
                pointer,
                "out_of_range",
                gettext_noop("This number must be from {least} to {most}."),
                least=least,
                most=most,
            )
        return value

    def decimal(self, value: Any, pointer: str, *, most: Decimal) -> Decimal | None:
        """An exact number in quotes, such as "0.05": at most 12 decimals, no sign, no exponent."""
        if not isinstance(value, str):
            return self.fail(
                pointer,
                "not_a_string",
                gettext_noop('Write money and rates in quotes, such as "0.05", so that they stay exact.'),
            )
        if not _DECIMAL.fullmatch(value):
            return self.fail(
                pointer,
                "not_a_decimal",
                gettext_noop("Write digits and at most 12 decimals after a dot, without sign or exponent."),
            )
        number = Decimal(value)
        if number > most:
            return self.fail(pointer, "out_of_range", gettext_noop("This number must be at most {most}."), most=most)
        return number

    def choice(self, value: Any, pointer: str, known: Collection[str]) -> str | None:
        if not isinstance(value, str) or value not in known:
            return self.fail(pointer, "unknown_term", gettext_noop("Use one of: {known}."), known=", ".join(known))
        return value

    def codes(self, value: Any, pointer: str, known: Collection[str]) -> tuple[str, ...]:
        """A list of terms, or `*`; sorted, each once."""
        if value == terms.ANY:
            return (terms.ANY,)
        entries = self.list(value, pointer, most=len(known) + 1) or []
        checked = [self.choice(entry, f"{pointer}/{n}", [*known, terms.ANY]) for n, entry in enumerate(entries)]
        found = sorted({code for code in checked if code})
        return (terms.ANY,) if terms.ANY in found else tuple(found)

    def day(self, value: Any, pointer: str) -> datetime.date | None:
        if isinstance(value, str) and _DAY.fullmatch(value):
            try:
                return datetime.date.fromisoformat(value)
            except ValueError:
                pass
        return self.fail(pointer, "not_a_day", gettext_noop('Write a day as "2026-01-31".'))


def loads(text: str | bytes, refuse: Callable[[str, str], Refusal]) -> Any:
    """JSON, strictly: UTF-8, no key twice, no NaN, bounded. `refuse(code, template)` makes what is raised."""
    if len(text) > MAX_BYTES:
        raise refuse("too_large", gettext_noop("This document is larger than a megabyte."))
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=_each_key_once, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise refuse("not_utf8", gettext_noop("This file is not UTF-8 text.")) from error
    except _Twice as error:
        raise refuse("key_twice", gettext_noop("A key stands twice in one object: remove one of them.")) from error
    except (ValueError, RecursionError) as error:
        raise refuse("not_json", gettext_noop("This is not valid JSON.")) from error


class _Twice(Exception):
    """A key stands twice in one object, so its meaning would depend on the reader."""


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twice
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(name)
