"""How alike a line and a work are, by title and creators, in classes that a person understands; and how sure that is.

Both sides are in the spelling of `titles`. A class is a pair: how the titles compare, and how the creators do. How often
pairs of a class are the same work was counted on labelled pairs (`calibration.json` beside this slice says which, and
when); that share is the score.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final

from rapidfuzz import fuzz

from accounts.identity.core import gettext_noop

TITLES: Final = {  # the best first
    "same": gettext_noop("same title"),
    "subtitle": gettext_noop("same title but for the subtitle"),
    "close": gettext_noop("same title but for a slip"),
    "near": gettext_noop("nearly the same title"),
    "alike": gettext_noop("similar title"),
    "numbered": gettext_noop("same title with another number or volume"),
    "far": gettext_noop("some words of the title"),
}
CREATORS: Final = {
    "same": gettext_noop("creator agrees"),
    "initials": gettext_noop("creator agrees, as far as both are written out"),
    "slip": gettext_noop("creator agrees but for a slip"),
    "unknown": gettext_noop("no creator to compare"),
    "other": gettext_noop("other creator"),
}
NAMED: Final = gettext_noop("one of its identifiers names this work")

CALIBRATION: Final = Path(__file__).parent.parent / "calibration.json"
_CLOSE, _NEAR, _ALIKE, _SLIP = 94, 86, 72, 84  # of 100: fuzz.ratio from which on texts are in a class
_COUNTS = re.compile(r"\d+")
_PARTS: Final = frozenset({
    "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "first", "second", "third", "fourth", "fifth",
    "sixth", "one", "two", "three", "four", "five", "six", "vol", "volume", "part", "pt", "book", "no", "number", "series",
    "권", "편", "상", "중", "하", "부", "제",
})  # fmt: skip
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d")
_ENOUGH: Final = 8  # letters of one word that a title must at least have to stand without its subtitle


@dataclass(frozen=True, slots=True)
class Named:
    """A title and its creators as `title_key` spells them."""

    title: str
    creators: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Likeness:
    """How two compare: the class of their titles, that of their creators."""

    title: str
    creators: str

    @property
    def why(self) -> tuple[str, ...]:
        return TITLES[self.title], CREATORS[self.creators]


def likeness(line: Named, work: Named) -> Likeness:
    """Compare what a line names with a work; it makes no difference which is which.

    >>> likeness(Named("moby dick", ("herman melville",)), Named("moby dick or the whale", ("h melville",)))
    Likeness(title='subtitle', creators='initials')
    """
    return Likeness(_titles(line.title, work.title), _creators(line.creators, work.creators))


def _titles(one: str, other: str) -> str:
    if one == other:
        return "same"
    words, others = one.split(), other.split()
    if _numbers(words) != _numbers(others):
        return "numbered" if fuzz.ratio(one, other) >= _ALIKE or _begins(words, others) else "far"
    if _begins(words, others):
        return "subtitle"
    alike = fuzz.ratio(one, other)
    if alike >= _CLOSE or _one_slip(one, other):
        return "close"
    if alike >= _NEAR:
        return "near"
    return "alike" if alike >= _ALIKE or fuzz.token_sort_ratio(one, other) >= _NEAR else "far"


def _numbers(words: Sequence[str]) -> list[str]:
    """What tells volumes and parts apart; a year does not."""
    return sorted(
        word for word in words if word in _PARTS or (_COUNTS.fullmatch(word) and not _YEAR.fullmatch(word))
    )


def _begins(words: Sequence[str], others: Sequence[str]) -> bool:
    """Whether one begins with all of the other, and that is enough to know it by."""
    shorter, longer = sorted((words, others), key=len)
    said = "".join(shorter)
    return list(longer[: len(shorter)]) == list(shorter) and (len(shorter) > 1 or len(said) >= _ENOUGH)


def _one_slip(one: str, other: str) -> bool:
    """Short titles, of which one letter is a large part."""
    return abs(len(one) - len(other)) <= 1 and len(one) >= 6 and fuzz.ratio(one, other) * max(len(one), len(other)) >= (
        100 * (max(len(one), len(other)) - 1)
    )


def _creators(some: Sequence[str], others: Sequence[str]) -> str:
    if not some or not others:
        return "unknown"
    if set(some) == set(others):
        return "same"
    fewer, more = sorted((some, others), key=len)
    if all(any(_compatible(name, other) for other in more) for name in fewer):
        return "initials"
    if all(any(fuzz.ratio(name, other) >= _SLIP for other in more) for name in fewer):
        return "slip"
    return "other"


def _compatible(one: str, other: str) -> bool:
    """Whether two names may be one person's: a word in full is the same, and no word contradicts.

    >>> _compatible("f fitzgerald scott", "fitzgerald francis scott"), _compatible("john smith", "james smith")
    (True, False)
    """
    left, right = one.split(), other.split()
    shared = {word for word in left if word in right and len(word) > 1}
    if not shared:
        return False
    rest, others = [w for w in left if w not in shared], [w for w in right if w not in shared]
    fewer, more = sorted((rest, others), key=len)
    return all(any(word[0] == each[0] and 1 in (len(word), len(each)) for each in more) or word in more for word in fewer)


def closeness(line: Named, work: Named) -> float:
    """Puts works of one class in order: by all that is written."""
    creators = fuzz.token_sort_ratio(" ".join(line.creators), " ".join(work.creators)) if line.creators else 0.0
    return round(fuzz.ratio(line.title, work.title) + fuzz.token_set_ratio(line.title, work.title) / 2 + creators / 2, 4)


@cache
def table() -> Mapping[tuple[str, str], Decimal]:
    """Class → how often such a pair is the same work."""
    data = json.loads(CALIBRATION.read_text(encoding="utf-8"))
    return {(cell["title"], cell["creators"]): Decimal(cell["score"]) for cell in data["classes"]}


@cache
def threshold() -> Decimal:
    """The score from which on the matcher decides by itself."""
    return Decimal(json.loads(CALIBRATION.read_text(encoding="utf-8"))["threshold"])


def score(found: Likeness) -> Decimal:
    return table().get((found.title, found.creators), Decimal(0))


def certain(scores: Sequence[Decimal]) -> bool:
    """Whether the first of the works, the best first, is meant: above the threshold, and no other is likely too."""
    return bool(scores) and scores[0] >= threshold() and (len(scores) == 1 or scores[1] < Decimal("0.5"))
