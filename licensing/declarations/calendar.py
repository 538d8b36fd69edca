"""When a licensee has to report what: the periods of a term, the day each is due, its reminders, a year at a glance. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final, Generic, Protocol, TypeVar

from licensing.tariffs.periods import Period, months_after

AHEAD_MONTHS: Final = 13  # duties are made so far ahead: a firm sees its year, and the period after it
FAIR_DAYS: Final = 14  # a term that was cut leaves at least so long to report what is left of it
REMIND_BEFORE: Final = (-14, -3)  # days before a duty is due on which it is reminded of
REMIND_EVERY: Final = 14  # and how often once it is overdue, from the day after
_LINE: Final = 75  # bytes of a line in an iCalendar file (RFC 5545, 3.1)


def periods_of(since: dt.date, until: dt.date | None, months: int) -> Iterator[Period]:
    """The reporting periods of a term, half-open, counted from its first day; without end where the term has none.

    Each boundary is counted from the first day, as a billing period's is (`tariffs.periods`), so that 31 January,
    28 February, 31 March follow each other. The last period is cut at the end of the term.
    """
    for number in count():
        start, end = months_after(since, number * months), months_after(since, (number + 1) * months)
        if until is not None and start >= until:
            return
        yield start, end if until is None else min(end, until)


def due_day(end: dt.date, within_days: int) -> dt.date:
    """The last day on which a report on a period is in time. `end` is the first day after the period.

    >>> due_day(dt.date(2026, 4, 1), 30)
    datetime.date(2026, 4, 30)
    """
    return end - dt.timedelta(days=1) + dt.timedelta(days=within_days)


def stage(due_on: dt.date, today: dt.date) -> int | None:
    """The last reminder whose day has come, as days after the due day: -14, -3, then 1, 15, 29 …; None: too early.

    >>> [stage(dt.date(2026, 4, 30), dt.date(2026, 4, d)) for d in (15, 16, 30)]
    [None, -14, -3]
    """
    days = (today - due_on).days
    if days > 0:
        return 1 + (days - 1) // REMIND_EVERY * REMIND_EVERY
    return max((mark for mark in REMIND_BEFORE if mark <= days), default=None)


class Dated(Protocol):
    """What a calendar shows: a half-open period with the day on which its report is due."""

    @property
    def first_day(self) -> dt.date: ...
    @property
    def end(self) -> dt.date: ...
    @property
    def due_on(self) -> dt.date: ...


D = TypeVar("D", bound=Dated)


@dataclass(frozen=True, slots=True)
class Month(Generic[D]):
    """One month: the duties whose period has days in it, and those that are due in it."""

    first_day: dt.date
    used: tuple[D, ...]
    due: tuple[D, ...]


def months_of(year: int, duties: Sequence[D]) -> list[Month[D]]:
    """The twelve months of a year with what is reported for each and what is due in each."""
    months = []
    for number in range(1, 13):
        start = dt.date(year, number, 1)
        end = months_after(start, 1)
        used = tuple(duty for duty in duties if duty.first_day < end and start < duty.end)
        due = tuple(duty for duty in duties if start <= duty.due_on < end)
        months.append(Month(start, used, due))
    return months


@dataclass(frozen=True, slots=True)
class Entry:
    """A day in somebody's own calendar."""

    uid: str
    day: dt.date
    title: str
    text: str = ""


def icalendar(entries: Iterable[Entry], *, name: str, now: dt.datetime) -> str:
    """An iCalendar file (RFC 5545) of whole days, each with an alarm three days before."""
    stamp = f"{now.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Jeongsan//Usage reports//EN",
        f"X-WR-CALNAME:{_escaped(name)}",
    ]
    for entry in entries:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{entry.uid}",
            f"DTSTAMP:{stamp}",
            f"DTSTART;VALUE=DATE:{entry.day:%Y%m%d}",
            f"DTEND;VALUE=DATE:{entry.day + dt.timedelta(days=1):%Y%m%d}",
            f"SUMMARY:{_escaped(entry.title)}",
            *([f"DESCRIPTION:{_escaped(entry.text)}"] if entry.text else []),
            "TRANSP:TRANSPARENT",
            "BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{_escaped(entry.title)}", "TRIGGER:-P3D", "END:VALARM",
            "END:VEVENT",
        ]  # fmt: skip
    return "".join(f"{folded}\r\n" for line in [*lines, "END:VCALENDAR"] for folded in _folded(line))


def _escaped(text: str) -> str:
    for plain, safe in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\n", "\\n"), ("\r", "\\n")):
        text = text.replace(plain, safe)
    return text


def _folded(line: str) -> Iterator[str]:
    """The line in pieces of at most 75 bytes, each but the first beginning with a blank; no character is cut in two."""
    piece, size = "", 0
    for character in line:
        width = len(character.encode())
        if size + width > _LINE:
            yield piece
            piece, size = " ", 1
        piece, size = piece + character, size + width
    yield piece
