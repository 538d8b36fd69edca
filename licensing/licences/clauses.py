"""Standard terms as their JSON document says them, read strictly, and their clauses with the conditions filled in. Pure.

A clause's text names conditions in braces. `{retention_days}` becomes “365 days” or “365일”: the unit comes with the number,
so that both languages read well whatever the number is. A condition that a licence may leave out is named only in a clause
that is there `when` it is set; `unless` is for the words that hold in its place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from accounts.identity.core import Refusal, gettext_noop
from licensing.licences.conditions import Conditions
from licensing.licences.conditions import parse as parse_conditions
from licensing.tariffs.reading import BadDocument, Problem, Reader, loads, speakable
from licensing.tariffs.schedule import REF

LANGUAGES: Final = ("en", "ko")
MOST_CLAUSES: Final = 60
MOST_CHARACTERS: Final = 4_000  # of one clause in one language
_SUMMARY: Final = gettext_noop("These standard terms cannot be used. Problems found: {count}.")
_NAMED: Final = re.compile(r"\{([^{}]*)\}")
_SWITCHES: Final = (
    "sublicensing",
    "retention_days",
    "output_limit",
    "deletion_days",
    "audit_notice_days",
    "reporting_months",
)
_UNITS: Final[Mapping[str, tuple[str, str, str]]] = {  # one and many in English; Korean
    "retention_days": ("day", "days", "일"),
    "output_limit": ("character", "characters", "자"),
    "deletion_days": ("day", "days", "일"),
    "audit_notice_days": ("day", "days", "일"),
    "reporting_months": ("month", "months", "개월"),
    "report_within_days": ("day", "days", "일"),
    "suspension_days": ("day", "days", "일"),
    "renewal_notice_days": ("day", "days", "일"),
}
NAMES: Final = tuple(_UNITS)  # what a text may name
assert {*NAMES, "sublicensing"} == {field.name for field in fields(Conditions)}


@dataclass(frozen=True, slots=True)
class Terms:
    """A version of standard terms: its name and clauses in both languages, and the conditions that hold by default."""

    ref: str
    name: Mapping[str, str]
    conditions: Conditions
    clauses: tuple[dict[str, Any], ...]

    def said(self) -> dict[str, Any]:
        """What its digest is of."""
        return {"name": dict(self.name), "conditions": self.conditions.as_data(), "clauses": list(self.clauses)}


def read_text(text: str | bytes) -> Any:
    """The JSON of standard terms; raises BadDocument where it is not JSON."""

    def refuse(code: str, template: str) -> Refusal:
        return BadDocument("invalid_terms", _SUMMARY, [Problem("", code, template, {})])

    return loads(text, refuse)


def parse(document: Any) -> Terms:
    """A document as terms; raises BadDocument with every problem and its JSON pointer."""
    reader = Reader()
    body = reader.object(document, "", required=("terms", "name", "clauses"), optional=("conditions",)) or {}
    ref = reader.text(body.get("terms"), "/terms", most=64, pattern=REF)
    name = _in_both(reader, body.get("name"), "/name", most=200, paragraphs=False)
    conditions = _conditions(reader, body.get("conditions", {}))
    entries = reader.list(body.get("clauses"), "/clauses", most=MOST_CLAUSES) or []
    clauses = tuple(_clause(reader, entry, f"/clauses/{n}") for n, entry in enumerate(entries))
    if reader.problems or not ref:
        first = {problem.pointer: problem for problem in reversed(reader.problems)}
        kept = [problem for problem in reader.problems if first[problem.pointer] is problem]
        raise BadDocument("invalid_terms", _SUMMARY, kept)
    return Terms(ref, name, conditions, clauses)


def filled(clauses: Sequence[Mapping[str, Any]], conditions: Conditions, language: str) -> list[tuple[str, str]]:
    """Heading and text of each clause that holds under these conditions, in one language."""
    values = conditions.as_data()
    return [
        (clause["heading"][language], fill(clause["text"][language], values, language))
        for clause in clauses
        if holds(clause, values)
    ]


def holds(clause: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Whether the clause belongs to a licence with these conditions."""
    when, unless = clause.get("when"), clause.get("unless")
    return (not when or _is_set(values[when])) and (not unless or not _is_set(values[unless]))


def fill(text: str, values: Mapping[str, Any], language: str) -> str:
    """A text with its conditions said.

    >>> fill("Copies are kept for {retention_days}.", {"retention_days": 1}, "en")
    'Copies are kept for 1 day.'
    """
    return _NAMED.sub(lambda found: amount(found[1], values[found[1]], language), text)


def amount(name: str, value: int, language: str) -> str:
    """A condition's number with its unit.

    >>> amount("output_limit", 1200, "en"), amount("output_limit", 1200, "ko")
    ('1,200 characters', '1,200자')
    """
    one, many, korean = _UNITS[name]
    return f"{value:,}{korean}" if language == "ko" else f"{value:,} {one if value == 1 else many}"


def _is_set(value: Any) -> bool:
    return value is not None and value is not False


def _conditions(reader: Reader, document: Any) -> Conditions:
    try:
        return parse_conditions(document)
    except BadDocument as problems:
        for each in problems.problems:
            reader.fail(f"/conditions{each.pointer}", each.code, each.template, **each.values)
        return Conditions()


def _clause(reader: Reader, entry: Any, pointer: str) -> dict[str, Any]:
    body = reader.object(entry, pointer, required=("heading", "text"), optional=("when", "unless"))
    if body is None:
        return {}
    switches: dict[str, Any] = {
        key: reader.choice(body[key], f"{pointer}/{key}", _SWITCHES) for key in ("when", "unless") if key in body
    }
    if len(switches) == 2:
        reader.fail(f"{pointer}/unless", "when_and_unless", gettext_noop("Write “when” or “unless”, not both."))
    heading = _in_both(reader, body.get("heading"), f"{pointer}/heading", most=200, paragraphs=False)
    text = _in_both(reader, body.get("text"), f"{pointer}/text", most=MOST_CHARACTERS, paragraphs=True)
    named = {language: _named(reader, words, f"{pointer}/text/{language}") for language, words in text.items() if words}
    if len(named) == len(LANGUAGES) and named["en"] != named["ko"]:
        reader.fail(
            f"{pointer}/text/ko",
            "names_differ",
            gettext_noop("Both languages must name the same conditions in braces."),
        )
    for name in sorted(set().union(*named.values()) & {*_SWITCHES}):
        if switches.get("when") != name:
            reader.fail(
                f"{pointer}/when",
                "may_be_unset",
                gettext_noop("A licence may leave “{name}” out. Put “when”: “{name}” beside this text."),
                name=name,
            )
    return {**switches, "heading": heading, "text": text}


def _named(reader: Reader, text: str, pointer: str) -> frozenset[str]:
    """The conditions that a text names; what else stands in braces is a problem."""
    found = frozenset(_NAMED.findall(text))
    for name in sorted(found - {*NAMES}):
        reader.fail(
            pointer,
            "unknown_name",
            gettext_noop("“{name}” is not a condition. In braces, write one of: {known}."),
            name=speakable(name),
            known=", ".join(NAMES),
        )
    if set(_NAMED.sub("", text)) & {"{", "}"}:
        reader.fail(pointer, "open_brace", gettext_noop("A brace has no partner. Braces are for conditions only."))
    return found & {*NAMES}


def _in_both(reader: Reader, value: Any, pointer: str, *, most: int, paragraphs: bool) -> dict[str, str]:
    """A text in English and Korean; neither may be missing. Where allowed, line breaks part paragraphs."""
    body = reader.object(value, pointer, required=LANGUAGES) or {}
    found: dict[str, str] = {}
    for language in LANGUAGES:
        if language not in body:
            continue
        text, where = body[language], f"{pointer}/{language}"
        if paragraphs and isinstance(text, str) and len(text) <= most:
            parts = [part.strip() for part in text.replace("\r\n", "\n").split("\n") if part.strip()]
            checked = [reader.text(part, where, most=most) for part in parts or [""]]
            text = "\n".join(part for part in checked if part)
        else:
            text = reader.text(text, where, most=most) or ""
        found[language] = text.strip()
    return found
