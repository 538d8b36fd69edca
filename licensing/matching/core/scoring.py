"""How alike a line and a work are, by title and creators, in classes that a person understands; and how sure that is.

Both sides are in the spelling of `titles`. A class is a pair: how the titles compare, and how the creators do. How often
pairs of a class are the same work was counted on labelled pairs (`calibration.json` beside this slice says which, and
when); that share is the score.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from accounts.identity.core import gettext_noop

TITLES: Final = {  # the best first
    "same": gettext_noop("same title"),
    "close": gettext_noop("same title but for a slip of the finger"),
    "subtitle": gettext_noop("same title but for the subtitle"),
    "slip": gettext_noop("same title but for a letter"),
    "cut": gettext_noop("same title but for a slip and the subtitle"),
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
AGREEING: Final = ("same", "initials", "slip")
UNLIKELY: Final = Decimal("0.5")  # below which a second work does not stand in the way of the first
NAMED: Final = gettext_noop("one of its identifiers names this work")

CALIBRATION: Final = Path(__file__).parent.parent / "calibration.json"
_NEAR, _ALIKE, _SLIP = 86, 72, 84  # of 100: fuzz.ratio from which on texts are in a class
_COUNTS = re.compile(r"\d+")
_PARTS: Final = frozenset({
    "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "first", "second", "third", "fourth", "fifth",
    "sixth", "one", "two", "three", "four", "five", "six", "vol", "volume", "part", "pt", "book", "no", "number", "series",
    "권", "편", "상", "중", "하", "부", "제",
})  # fmt: skip
_DOUBLED = re.compile(r"(.)\1")
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


def likeness(line: Named, work: Named, known: Collection[str] = ()) -> Likeness:
    """Compare what a line names with a work. `known` are those words of the line that some title of the register has: a
    word that is one letter away from the work's is a slip, unless it is another known word (`lost`, `last`).

    >>> likeness(Named("moby dick", ("herman melville",)), Named("moby dick or the whale", ("h melville",)))
    Likeness(title='subtitle', creators='initials')
    """
    return Likeness(_titles(line.title, work.title, known), _creators(line.creators, work.creators))


def _titles(line: str, work: str, known: Collection[str]) -> str:
    words, others = _without_year(line.split(), work.split())
    if "".join(words) == "".join(others):
        return "same"
    if _numbers(words) != _numbers(others):
        return "numbered" if fuzz.ratio(line, work) >= _ALIKE or _begins(words, others) else "far"
    if _begins(words, others):
        return "subtitle"
    if _slips(words, others, known, _typed):
        return "close"
    if _slips(words, others, known, _one_off):
        return "slip"
    shorter = min(len(words), len(others))
    if _begins_long(words, others) and _slips(words[:shorter], others[:shorter], known, _one_off):
        return "cut"
    alike = fuzz.ratio(line, work)
    if alike >= _NEAR:
        return "near"
    return "alike" if alike >= _ALIKE or fuzz.token_sort_ratio(line, work) >= _NEAR else "far"


def _without_year(words: list[str], others: list[str]) -> tuple[list[str], list[str]]:
    """A year that only one of the two ends with says when, not what."""
    years = [bool(len(each) > 1 and _YEAR.fullmatch(each[-1])) for each in (words, others)]
    if years == [True, False]:
        return words[:-1], others
    return (words, others[:-1]) if years == [False, True] else (words, others)


def _numbers(words: Sequence[str]) -> list[str]:
    """What tells volumes, parts and years apart."""
    return sorted(word for word in words if word in _PARTS or _COUNTS.fullmatch(word))


def _begins(words: Sequence[str], others: Sequence[str]) -> bool:
    """Whether one begins with all of the other, and that is enough to know it by."""
    shorter, longer = sorted((words, others), key=len)
    return list(longer[: len(shorter)]) == list(shorter) and _begins_long(words, others)


def _begins_long(words: Sequence[str], others: Sequence[str]) -> bool:
    shorter = min((words, others), key=len)
    return len(shorter) > 1 or len("".join(shorter)) >= _ENOUGH


def _slips(
    words: Sequence[str], others: Sequence[str], known: Collection[str], slip: Callable[[str, str], bool]
) -> bool:
    """Whether they are the same but for a slip in one word or two that no title has as they stand."""
    if len(words) != len(others):
        together, apart = "".join(words), "".join(others)
        return len(together) >= _ENOUGH and OSA.distance(together, apart) <= 1
    wrong = [(word, other) for word, other in zip(words, others, strict=True) if word != other]
    return len(wrong) <= 2 and all(word not in known and slip(word, other) for word, other in wrong)


def _one_off(word: str, other: str) -> bool:
    return OSA.distance(word, other) <= (1 if len(other) < _ENOUGH else 2) and len(other) > 2


def _typed(word: str, other: str) -> bool:
    """A slip of the finger rather than another word: letters in another order, one doubled, or one off in a long word.

    >>> _typed("rvier", "river"), _typed("riverr", "river"), _typed("rider", "river"), _typed("mounlain", "mountain")
    (True, True, False, True)
    """
    if len(other) < 4 or OSA.distance(word, other) > 1:
        return False
    doubled = _DOUBLED.sub(r"\1", word) == _DOUBLED.sub(r"\1", other)
    return sorted(word) == sorted(other) or doubled or (len(other) >= _ENOUGH and word[-2:] == other[-2:])


def _creators(some: Sequence[str], others: Sequence[str]) -> str:
    if not some or not others:
        return "unknown"
    if set(some) == set(others):
        return "same"
    if _paired(some, others, _compatible):
        return "initials"
    return "slip" if _paired(some, others, lambda one, other: fuzz.ratio(one, other) >= _SLIP) else "other"


def _paired(some: Sequence[str], others: Sequence[str], alike: Callable[[str, str], bool]) -> bool:
    """Whether each of the fewer has its like among the more; where they are as many, each of both."""
    fewer, more = sorted((some, others), key=len)
    found = all(any(alike(one, other) for other in more) for one in fewer)
    return found and (len(fewer) < len(more) or all(any(alike(one, other) for one in fewer) for other in more))


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
    return _paired(
        rest, others, lambda word, each: word == each or (word[0] == each[0] and 1 in (len(word), len(each)))
    )


def closeness(line: Named, work: Named) -> float:
    """Puts works of one class in order: by all that is written."""
    creators = fuzz.token_sort_ratio(" ".join(line.creators), " ".join(work.creators)) if line.creators else 0.0
    return round(
        fuzz.ratio(line.title, work.title) + fuzz.token_set_ratio(line.title, work.title) / 2 + creators / 2, 4
    )


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


def certain(scores: Sequence[Decimal], creators: str) -> bool:
    """Whether the first of the works, the best first, is meant: above the threshold, by its creators too, and no other
    is likely. A title alone is never enough: the register does not know all works of the world.
    """
    if not scores or creators not in AGREEING or scores[0] < threshold():
        return False
    return len(scores) == 1 or scores[1] < UNLIKELY
