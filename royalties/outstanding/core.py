"""Clocks of money that cannot be paid yet: which rule governs an amount, and on which days what is due. Pure.

A clock starts with the day after the event that it runs from: the end of the financial year in which the money was collected, the
first public notice that lists it, or the day on which it was allocated. A term of months ends with the day before the day of that
number; where that month has none, with its last day (Civil Act of Korea, art. 157 and 160; Regulation (EEC) 1182/71, art. 3, agrees).
Days are kept half-open: the first day on which a term is over. `outstanding.sql` says the same for many rows.
"""

from __future__ import annotations

import calendar
import datetime
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from accounts.identity.core import Refusal, say

REASONS: Final = (
    "unmatched", "no_share", "overclaimed", "disputed", "reserved", "unmandated", "unlicensed", "free", "individual",
)  # fmt: skip
ANY: Final = "*"
BASES: Final = (ANY, "collective", "remuneration")
STARTS: Final = ("year_end", "notice", "allocation")
STEPS: Final = ("pay", "inform", "publish", "expire")
WARN_DAYS: Final = (180, 90, 30)
MOST_MONTHS: Final = 600
# Age in days: a bucket has its lower bound and not its upper one.
BUCKETS: Final = ((0, 91), (91, 182), (182, 366), (366, 731), (731, 1096), (1096, 1827), (1827, None))


@dataclass(frozen=True, slots=True)
class Rule:
    """One clock. `own`: of a society's approved terms; otherwise law. Months count from the start; None: no such step."""

    name: str
    jurisdiction: str
    basis: str
    reason: str
    valid_from: datetime.date
    valid_to: datetime.date | None
    starts_from: str
    pay: int | None = None
    inform: int | None = None
    publish: int | None = None
    expire: int | None = None
    source: str = ""
    own: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """A society's terms: whose law, when its financial year ends, whose money is remuneration by law, and its own clocks."""

    name: str
    version: int
    jurisdiction: str
    year_end_month: int
    valid_from: datetime.date
    valid_to: datetime.date | None
    remuneration_tariffs: tuple[str, ...]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Days:
    """The first days on which each step's term is over; None: no such step, or the clock has not started."""

    starts_on: datetime.date | None
    pay: datetime.date | None = None
    inform: datetime.date | None = None
    publish: datetime.date | None = None
    expire: datetime.date | None = None


def months_after(start: datetime.date, months: int) -> datetime.date:
    """The first day after a term of months that begins on `start`.

    >>> months_after(datetime.date(2026, 1, 1), 9), months_after(datetime.date(2024, 3, 1), 60)
    (datetime.date(2026, 10, 1), datetime.date(2029, 3, 1))

    A month without the day: the term ends with that month's last day.

    >>> months_after(datetime.date(2026, 1, 31), 1), months_after(datetime.date(2024, 2, 29), 12)
    (datetime.date(2026, 3, 1), datetime.date(2025, 3, 1))
    """
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if start.day <= calendar.monthrange(year, month + 1)[1]:
        return datetime.date(year, month + 1, start.day)
    year, month = divmod(year * 12 + month + 1, 12)
    return datetime.date(year, month + 1, 1)


def year_after(day: datetime.date, end_month: int) -> datetime.date:
    """The first day of the financial year after the one in which a day lies; the year ends with the month `end_month`.

    >>> year_after(datetime.date(2026, 12, 31), 12), year_after(datetime.date(2026, 3, 31), 3), year_after(datetime.date(2026, 4, 1), 3)
    (datetime.date(2027, 1, 1), datetime.date(2026, 4, 1), datetime.date(2027, 4, 1))
    """
    year = day.year + (1 if day.month > end_month else 0)
    return datetime.date(year + end_month // 12, end_month % 12 + 1, 1)


def governing(rules: Iterable[Rule], *, jurisdiction: str, basis: str, reason: str, on: datetime.date) -> Rule | None:
    """The rule for money collected on a day: law before a society's own terms, what is named before what is general."""
    fitting = [
        rule
        for rule in rules
        if rule.jurisdiction == jurisdiction and rule.basis in (ANY, basis) and rule.reason in (ANY, reason)
        and rule.valid_from <= on and (rule.valid_to is None or on < rule.valid_to)
    ]  # fmt: skip
    return min(fitting, key=lambda rule: (rule.own, rule.basis == ANY, rule.reason == ANY), default=None)


def days_of(
    rule: Rule,
    *,
    collected_on: datetime.date,
    allocated_on: datetime.date,
    noticed_on: datetime.date | None,
    end_month: int,
) -> Days:
    """When each step's term is over, for an amount collected, allocated and (perhaps) publicly listed on these days."""
    starts = {
        "year_end": year_after(collected_on, end_month),
        "allocation": allocated_on + datetime.timedelta(days=1),
        "notice": noticed_on + datetime.timedelta(days=1) if noticed_on else None,
    }[rule.starts_from]
    if starts is None:
        return Days(None)
    steps = {step: months_after(starts, months) for step in STEPS if (months := getattr(rule, step)) is not None}
    return Days(starts, **steps)


def bucket(days: int) -> int:
    """The place in BUCKETS of an age in days. Older than all is the last."""
    return max(n for n, (since, _until) in enumerate(BUCKETS) if days >= since or n == 0)


def read_law(document: Any) -> list[Rule]:
    """The clocks of a law, as the data files of this project state them; anything unexpected is refused."""
    _keys(document, {"jurisdiction", "valid_from", "valid_to", "source", "rules"}, "")
    since, until = _range(document)
    place = _text(document, "jurisdiction", 2)
    return _rules(document["rules"], place, since, until, _text(document, "source", 300), own=False)


def read_terms(document: Any) -> Terms:
    """A society's terms. Unknown keys, missing ones and numbers out of range are refused with their place."""
    optional = {"valid_to", "remuneration_tariffs", "rules", "source"}
    _keys(document, {"terms", "version", "valid_from", "jurisdiction", "year_end_month"} | optional, "", optional)
    since, until = _range(document)
    place = _text(document, "jurisdiction", 2)
    source = _text(document, "source", 300) if "source" in document else ""
    tariffs = document.get("remuneration_tariffs", [])
    if not isinstance(tariffs, list) or not all(isinstance(each, str) and 0 < len(each) <= 64 for each in tariffs):
        raise _bad("/remuneration_tariffs", say("List the references of tariffs."))
    return Terms(
        _text(document, "terms", 64), _number(document, "version", 1, 1_000_000), place,
        _number(document, "year_end_month", 1, 12), since, until, tuple(tariffs),
        tuple(_rules(document.get("rules", []), place, since, until, source, own=True)),
    )  # fmt: skip


def digest(document: Any) -> str:
    """SHA-256 of a document's meaning: key order and blanks do not count."""
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _rules(
    found: Any, place: str, since: datetime.date, until: datetime.date | None, source: str, *, own: bool
) -> list[Rule]:
    if not isinstance(found, list) or len(found) > 100:
        raise _bad("/rules", say("List the rules, at most 100."))
    rules: list[Rule] = []
    seen: set[tuple[str, str]] = set()
    for n, each in enumerate(found):
        at = f"/rules/{n}"
        _keys(each, {"name", "basis", "reasons", "starts_from", "steps"}, at, optional={"basis"})
        basis, starts = each.get("basis", ANY), each["starts_from"]
        if basis not in BASES:
            raise _bad(f"{at}/basis", say("Choose one of: {known}.", known=", ".join(BASES)))
        if starts not in STARTS:
            raise _bad(f"{at}/starts_from", say("Choose one of: {known}.", known=", ".join(STARTS)))
        steps = _steps(each["steps"], f"{at}/steps")
        reasons = each["reasons"]
        if not isinstance(reasons, list) or not reasons or not all(r == ANY or r in REASONS for r in reasons):
            raise _bad(f"{at}/reasons", say("Choose from: {known}.", known=", ".join((ANY, *REASONS))))
        for reason in reasons:
            if (basis, reason) in seen:
                raise _bad(f"{at}/reasons", say("Two rules say what holds for “{reason}”.", reason=reason))
            seen.add((basis, reason))
            rules.append(
                Rule(
                    _text(each, "name", 64, at),
                    place,
                    basis,
                    reason,
                    since,
                    until,
                    starts,
                    source=source,
                    own=own,
                    **steps,
                )
            )
    return rules


def _steps(found: Any, at: str) -> dict[str, int]:
    _keys(found, set(STEPS), at, optional=set(STEPS))
    steps = {step: _number(found, step, 1, MOST_MONTHS, at) for step in STEPS if step in found}
    if not steps or list(steps.values()) != sorted(steps.values()):
        raise _bad(
            at,
            say("Name at least one step; each is due no earlier than the one before: {steps}.", steps=", ".join(STEPS)),
        )
    return steps


def _keys(found: Any, known: set[str], at: str, optional: Iterable[str] = ()) -> None:
    if not isinstance(found, Mapping):
        raise _bad(at or "/", say("Here an object is expected."))
    if strange := sorted(set(found) - known):
        raise _bad(f"{at}/{strange[0]}", say("“{key}” is not known here.", key=strange[0]))
    if missing := sorted(known - set(optional) - set(found)):
        raise _bad(f"{at}/{missing[0]}", say("“{key}” is missing.", key=missing[0]))


def _text(found: Mapping[str, Any], key: str, most: int, at: str = "") -> str:
    text = found[key]
    if not isinstance(text, str) or not text.strip() or len(text) > most or not text.isprintable():
        raise _bad(f"{at}/{key}", say("Write a text of at most {most} characters.", most=most))
    return text


def _number(found: Mapping[str, Any], key: str, least: int, most: int, at: str = "") -> int:
    number = found[key]
    if type(number) is not int or not least <= number <= most:
        raise _bad(f"{at}/{key}", say("Write a whole number from {least} to {most}.", least=least, most=most))
    return number


def _range(found: Mapping[str, Any]) -> tuple[datetime.date, datetime.date | None]:
    since, until = _day(found["valid_from"], "/valid_from"), found.get("valid_to")
    end = _day(until, "/valid_to") if until is not None else None
    if end is not None and end <= since:
        raise _bad("/valid_to", say("The end must be later than the start."))
    return since, end


def _day(text: Any, at: str) -> datetime.date:
    try:
        if not isinstance(text, str) or len(text) != 10:
            raise ValueError
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise _bad(at, say("Write a day as 2026-01-31.")) from None


def _bad(pointer: str, detail: str) -> Refusal:
    return Refusal("bad_clock_terms", detail, pointer=pointer)
