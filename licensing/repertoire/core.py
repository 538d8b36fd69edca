"""Shares: from what people write to parts per million, exactly. Pure."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from accounts.identity.core import gettext_noop
from licensing.terms import PPM

NOT_A_SHARE: Final = gettext_noop("write a share as 1/3, 333333ppm or 33.33%")
OUT_OF_RANGE: Final = gettext_noop("a share is more than nothing and at most the whole")
OVERLAPS: Final = gettext_noop("the holder has a share in this role on some of these days already")
CONTRADICTS: Final = gettext_noop("contradicts an earlier row")
TOO_MANY: Final = gettext_noop("a work has at most 1,000 shares")
MOST_SHARES: Final = 1000

_FRACTION = re.compile(r"(\d{1,9})\s*/\s*(\d{1,9})", re.ASCII)
_PERCENT = re.compile(r"(\d{1,3})(?:\.(\d{1,12}))?\s*%", re.ASCII)
_PPM = re.compile(r"(\d{1,7})\s*ppm", re.ASCII | re.IGNORECASE)


class BadShare(ValueError):
    """A text that is no share; `reason` is a fixed phrase."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def clean_name(text: str) -> str:
    """A name in NFC with single blanks, none around."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def same_name(one: str, other: str) -> bool:
    """Whether two people would say that the same name is written, whatever the case, blanks or coding of letters.

    >>> same_name(" kim  SOWOL", "Kim Sowol"), same_name("김소월", "김 소월"), same_name("", "")
    (True, False, False)
    """
    left, right = (clean_name(unicodedata.normalize("NFKC", text)).casefold() for text in (one, other))
    return bool(left) and left == right


@dataclass(frozen=True, slots=True)
class Stated:
    """A share as it was stated: its exact value, and whether as a fraction, which may be rounded up to make a whole."""

    part: Fraction
    is_fraction: bool


def parse_share(text: str) -> Stated:
    """The exact part of the whole.

    >>> parse_share("1/3").part, parse_share("33.33%").part, parse_share("333333ppm").part
    (Fraction(1, 3), Fraction(3333, 10000), Fraction(333333, 1000000))

    Raises BadShare unless it is one of the three forms, more than 0 and at most 1, and at least one part per million.
    """
    text = text.strip()
    if found := _FRACTION.fullmatch(text):
        if not int(found[2]):
            raise BadShare(NOT_A_SHARE)
        stated = Stated(Fraction(int(found[1]), int(found[2])), is_fraction=True)
    elif found := _PERCENT.fullmatch(text):
        stated = Stated(Fraction(int(found[1] + (found[2] or "")), 100 * 10 ** len(found[2] or "")), is_fraction=False)
    elif found := _PPM.fullmatch(text):
        stated = Stated(Fraction(int(found[1]), PPM), is_fraction=False)
    else:
        raise BadShare(NOT_A_SHARE)
    if not Fraction(1, PPM) <= stated.part <= 1:
        raise BadShare(OUT_OF_RANGE)
    return stated


@dataclass(frozen=True, slots=True)
class Part:
    """One share of a work: whose, in which role, how much, from when to the first day after (None: no bound)."""

    holder_ref: str
    role: str
    stated: Stated
    since: dt.date | None = None
    until: dt.date | None = None

    @property
    def tie(self) -> tuple[bytes, bytes, dt.date]:
        return self.holder_ref.encode(), self.role.encode(), self.since or dt.date.min


def ppm_of(parts: Sequence[Part]) -> list[int]:
    """Parts per million of one work's shares, in order.

    Each is rounded down. Where the shares of a day make exactly the whole, what rounding took goes to the fractions by
    largest remainder, one each at most; ties go to the smaller holder_ref, then role, in UTF-8 bytes. Percentages and
    ppm are never topped up. A share has one value for all its days: it is topped up only if no day exceeds the whole.

    >>> third = parse_share("1/3")
    >>> ppm_of([Part("C", "", third), Part("A", "", third), Part("B", "", third)])
    [333333, 333334, 333333]
    """
    exact = [part.stated.part * PPM for part in parts]
    ppm = [int(value) for value in exact]
    if ppm == exact:
        return ppm
    days = _days(parts)
    topped: set[int] = set()
    for present in days:
        if sum((exact[i] for i in present), Fraction()) != PPM:
            continue
        missing = PPM - sum(ppm[i] for i in present)
        open_ = [i for i in present if parts[i].stated.is_fraction and i not in topped and ppm[i] < exact[i]]
        for i in sorted(open_, key=lambda i: (ppm[i] - exact[i], parts[i].tie)):
            if not missing:
                break
            if all(sum(ppm[j] for j in other) < PPM for other in days if i in other):
                ppm[i] += 1
                topped.add(i)
                missing -= 1
    return ppm


def _days(parts: Sequence[Part]) -> list[list[int]]:
    """The sets of shares that are in force together, from the first day on; each as positions."""
    if len({(p.since, p.until) for p in parts}) == 1:
        return [list(range(len(parts)))]
    starts = {p.since or dt.date.min for p in parts} | {p.until for p in parts if p.until}
    return [present for day in sorted(starts) if (present := [i for i, p in enumerate(parts) if _covers(p, day)])]


def _covers(part: Part, day: dt.date) -> bool:
    return (part.since or dt.date.min) <= day and (part.until is None or day < part.until)


@dataclass(frozen=True, slots=True)
class Claim:
    """A share that a file or a form states, or that is on record (row None)."""

    part: Part
    text: str
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Merged:
    """The shares of a work after a file: all that hold, and the rows that were refused, with the reason."""

    claims: tuple[Claim, ...]
    refused: tuple[tuple[int, str], ...]


def merge(claims: Iterable[Claim]) -> Merged:
    """Lay what a file states over what is on record, for one work.

    A row with the holder, role and first day of a share on record replaces it; others are added. A row that contradicts
    an earlier one, or whose days overlap with another share of the same holder and role, is refused; the rest holds.
    """
    held: dict[tuple[str, str], dict[dt.date | None, Claim]] = defaultdict(dict)
    wanted: dict[tuple[str, str, dt.date | None], Claim] = {}
    refused: list[tuple[int, str]] = []
    for claim in sorted(claims, key=lambda c: c.row or 0):
        part = claim.part
        key = (part.holder_ref, part.role, part.since)
        if claim.row is None:
            held[part.holder_ref, part.role][part.since] = claim
        elif key not in wanted:
            wanted[key] = claim
        elif wanted[key].part != part or wanted[key].text != claim.text:
            refused.append((claim.row, CONTRADICTS))
    # Replacements first: one row may shorten a share, and another begin where it now ends, in any order.
    total = sum(map(len, held.values()))
    for (holder, role, since), claim in sorted(wanted.items(), key=lambda item: item[0][2] not in held[item[0][:2]]):
        mine = held[holder, role]
        before = mine.pop(since, None)
        if any(_clash(claim.part, other.part) for other in mine.values()):
            refused.append((claim.row or 0, OVERLAPS))
        elif before is None and total >= MOST_SHARES:
            refused.append((claim.row or 0, TOO_MANY))
        else:
            total += before is None
            before = claim
        if before is not None:
            mine[since] = before
    return Merged(tuple(c for mine in held.values() for c in mine.values()), tuple(refused))


def _clash(one: Part, other: Part) -> bool:
    """Whether two shares have a day in common."""
    return (one.since is None or other.until is None or one.since < other.until) and (
        other.since is None or one.until is None or other.since < one.until
    )
