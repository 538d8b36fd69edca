"""Conflicting claims to the shares of a work: how they are divided, when an answer is due, when all agree. Pure."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from accounts.identity.core import Refusal, say
from licensing.repertoire.core import BadShare, Part, parse_share, ppm_of
from licensing.terms import PPM

ANSWER_DAYS: Final = 30  # where a society has laid down nothing else
REMINDERS: Final = (14, 3)  # so many days before the answer is due
LEAST_DAYS, MOST_DAYS = 7, 365


@dataclass(frozen=True, slots=True)
class Line:
    """What one holder has in one role; nothing (0 ppm) is said as well, so that nobody is passed over in silence."""

    holder: int
    role: str
    ppm: int
    stated: str

    def as_data(self) -> dict[str, Any]:
        return {"holder": self.holder, "role": self.role, "ppm": self.ppm, "share": self.stated}


@dataclass(frozen=True, slots=True)
class Asked:
    """A line of a split as a person enters it: `share` is `1/2`, `33.33%`, `500000ppm` or nothing."""

    holder: int
    holder_ref: str
    role: str
    share: str


def divide(asked: Sequence[Asked]) -> list[Line]:
    """A proposed split in parts per million: thirds make the whole, nothing exceeds it.

    >>> [line.ppm for line in divide([Asked(1, "A", "", "1/3"), Asked(2, "B", "", "1/3"), Asked(3, "C", "", "1/3")])]
    [333334, 333333, 333333]
    >>> [line.ppm for line in divide([Asked(1, "A", "", "60%"), Asked(2, "B", "", "")])]
    [600000, 0]

    Raises Refusal for what is no share, for a split over the whole, and for one that gives nobody anything.
    """
    parts: dict[int, Part] = {}
    errors: list[dict[str, Any]] = []
    for place, each in enumerate(asked):
        if each.share.strip() in ("", "0", "0%"):
            continue
        try:
            parts[place] = Part(each.holder_ref, each.role, parse_share(each.share))
        except BadShare as bad:
            errors.append({"code": "bad_share", "detail": say(bad.reason), "pointer": f"/split/{place}"})
    if errors:
        raise Refusal("bad_share", errors[0]["detail"], pointer=errors[0]["pointer"], errors=errors)
    if not parts:
        raise Refusal("empty_split", say("Say who has which share."), pointer="/split")
    total = sum((part.stated.part for part in parts.values()), Fraction())
    if total > 1:
        over = say(
            "Together these shares are more than the whole: {sum}%.", sum=f"{float(total * 100):.4f}".rstrip("0")
        )
        raise Refusal("split_over_whole", over, pointer="/split")
    ppm = dict(zip(parts, ppm_of(list(parts.values())), strict=True))
    return [Line(each.holder, each.role, ppm.get(n, 0), each.share.strip()[:40]) for n, each in enumerate(asked)]


def within(lines: Sequence[Line]) -> bool:
    """Whether a split, as kept, is no more than the whole."""
    return sum(line.ppm for line in lines) <= PPM


def due_on(day: datetime.date, days: int) -> datetime.date:
    """The last day on which an answer is in time."""
    return day + datetime.timedelta(days=days)


def all_agree(agreed: Iterable[int | None], revision: int) -> bool:
    """Whether everybody agreed to the proposal that stands. What was agreed to an earlier one does not count.

    >>> all_agree([2, 2], 2), all_agree([2, 1], 2), all_agree([2, None], 2), all_agree([], 2), all_agree([0], 0)
    (True, False, False, False, False)
    """
    found = list(agreed)
    return revision > 0 and bool(found) and all(each == revision for each in found)


def digest(subject: dict[str, Any]) -> str:
    """SHA-256 of what two people decide on."""
    return hashlib.sha256(json.dumps(subject, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest()
