"""Labelled questions made from a real catalogue by fixed rules: works as people write them, and what only looks like them.

Scores are made from, and held against, the catalogue that the demo ships: renewals of books in 1951, with their headings.
`blind` is another year, which nobody looked at while classes, labels, traps and the threshold were made. Every choice is
drawn with a seed.
"""

from __future__ import annotations

import csv
import hashlib
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rapidfuzz.distance import OSA

from config.demo.repertoire import DATA
from licensing.matching.core import plain_title, short_title, title_key

SEED: Final = 20261124
TUNING: Final = DATA / "cce-renewals-1951-1A.tsv"
BLIND: Final = Path(__file__).parent / "data" / "cce-renewals-1952-1A.titles.tsv"
BLIND_SEED: Final = 19520701
UNREGISTERED_PERCENT: Final = 30  # of the catalogue is not in the register: what is asked about them has no answer
_HEADING = re.compile(
    r"^([A-ZÀ-Þ][A-ZÀ-Þ'’\-. ]+, [A-ZÀ-Þ'’\-. ]+(?:\([A-ZÀ-Þ ]+\))?(?:, (?:ed|comp|tr)\.)?)[.)]? +(\S.*)$"
)
_ADDED = re.compile(r" \(\d{4}\)$")
_CUT = re.compile(r"\s*[;:(\[]|\. ")


@dataclass(frozen=True, slots=True)
class Work:
    """A work of the catalogue; `half` says whether scores are made from it or measured on it."""

    number: int
    title: str
    creators: str
    half: str  # fit | held_out
    registered: bool


@dataclass(frozen=True, slots=True)
class Question:
    """A title and creators as a firm might write them, and the registered work that is meant (None: none)."""

    title: str
    creators: str
    work: int | None
    how: str
    half: str


def catalogue(path: Path = TUNING, *, salt: str = "") -> list[Work]:
    """The works with a creator in the heading, each title and creator once. `salt` draws other works for the register."""
    with path.open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source, delimiter="\t", quoting=csv.QUOTE_NONE))
    found: dict[str, Work] = {}
    for row in rows:
        if parts := _HEADING.match(row["title"].strip()):
            creators, title = _name(parts[1]), parts[2].rstrip(". ")
            key = title_key(title, creators)
            dice = int.from_bytes(hashlib.sha256(f"{salt}{key}".encode()).digest()[:8])
            half = "fit" if dice % 2 else "held_out"
            registered = dice // 2 % 100 >= UNREGISTERED_PERCENT
            found.setdefault(key, Work(len(found) + 1, title, creators, half, registered))
    return list(found.values())


def blind() -> list[Work]:
    """The works of a year that nothing was tuned on, without those that the tuning year has too; all are measured."""
    seen = {title_key(work.title, work.creators) for work in catalogue()}
    works = catalogue(BLIND, salt=f"{BLIND_SEED}|")
    return [replace(work, half="blind") for work in works if title_key(work.title, work.creators) not in seen]


def _name(heading: str) -> str:
    return re.sub(r"\w[\w'’]*", lambda word: word[0].capitalize(), heading.rstrip(".")).removesuffix(", Ed")


def questions(works: Sequence[Work], *, each: int = 12, seed: int = SEED) -> list[Question]:
    """`each` questions about every work, and as many that look like registered ones and mean none."""
    dice = random.Random(seed)
    asked: list[Question] = []
    words = sorted({word for work in works for word in plain_title(work.title).split() if len(word) > 3})
    for work in works:
        answer = work.number if work.registered else None
        for how in dice.sample(sorted(_WAYS), each):
            title, creators = _WAYS[how](dice, work.title, work.creators)
            asked.append(Question(title, creators, answer, how, work.half))
        if work.registered:
            for how, (title, creators) in _traps(dice, work, works, words):
                asked.append(Question(title, creators, None, how, work.half))
    known = {title_key(work.title, work.creators): work.number for work in works if work.registered}
    # Who names a registered work by its whole title and creators means that one, whatever it was made of.
    return [
        Question(q.title, q.creators, known.get(title_key(_ADDED.sub("", q.title), q.creators), q.work), q.how, q.half)
        for q in asked
    ]


def _traps(
    dice: random.Random, work: Work, works: Sequence[Work], known: Sequence[str]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """What only looks like this work."""
    other = dice.choice(works)
    if other.creators != work.creators:
        yield "trap: same title, other author", (work.title, other.creators)
    volume = dice.choice(["vol. 2", "Part II", "second series", "v. 3"])
    yield "trap: another volume", (f"{_main(work.title)}, {volume}", work.creators)
    words = _main(work.title).split()
    strange = [word for word in _main(other.title).split() if len(word) > 3 and word not in words]
    long = [n for n, word in enumerate(words) if len(word) > 3]
    if strange and len(long) > 1:
        words[dice.choice(long)] = dice.choice(strange)
        yield "trap: near title, same author", (" ".join(words), work.creators)
    plain = plain_title(_main(work.title)).split()
    neighbours = [
        (n, other)
        for n, word in enumerate(plain)
        if len(word) > 3
        for other in known
        if word != other and OSA.distance(word, other, score_cutoff=1) == 1
    ]
    if neighbours:
        n, word = dice.choice(neighbours)
        yield (
            "trap: a word one letter away, same author",
            (" ".join([*plain[:n], word, *plain[n + 1 :]]), work.creators),
        )
    yield "trap: other title, same author", (_main(other.title), work.creators)


def _main(title: str) -> str:
    return _CUT.split(title, maxsplit=1)[0].strip(" .,") or title


def _slip(dice: random.Random, text: str) -> str:
    """One slip of the finger."""
    places = [n for n, sign in enumerate(text[:-1]) if sign.isalpha() and text[n + 1].isalpha()]
    if not places:
        return text
    n = dice.choice(places)
    return dice.choice(
        [
            text[:n] + text[n + 1] + text[n] + text[n + 2 :],
            text[:n] + text[n + 1 :],
            text[:n] + text[n] * 2 + text[n + 1 :],
            text[:n] + dice.choice("abcdefghijklmnopqrstuvwxyz") + text[n + 1 :],
        ]
    )


def _swapped(creators: str) -> str:
    surname, _comma, given = creators.partition(", ")
    return f"{given} {surname}"


def _initials(creators: str) -> str:
    surname, _comma, given = creators.partition(", ")
    return f"{surname}, {' '.join(word[0] + '.' for word in given.split() if word[0].isalpha())}"


def _article(title: str) -> str:
    for article in ("The", "A", "An"):
        if title.startswith(article + " "):
            return f"{title[len(article) + 1 :]}, {article}"
    return f"The {title[0].lower()}{title[1:]}"


def _year(dice: random.Random, title: str, creators: str) -> tuple[str, str]:
    born = dice.randrange(1820, 1900)
    return f"{_main(title)} ({dice.randrange(1900, 1990)})", f"{creators}, {born}-{born + dice.randrange(30, 90)}"


def _cut(title: str) -> str:
    return _main(title) if short_title(title) else title


Way = Callable[[random.Random, str, str], tuple[str, str]]
_WAYS: Final[dict[str, Way]] = {
    "as it is": lambda dice, t, c: (t, c),
    "case": lambda dice, t, c: (t.upper(), c.lower()),
    "article": lambda dice, t, c: (_article(t), c),
    "punctuation": lambda dice, t, c: (re.sub(r"[^\w\s]", dice.choice([" ", ""]), t), c),
    "swapped names": lambda dice, t, c: (t, _swapped(c)),
    "initials": lambda dice, t, c: (t, _initials(c)),
    "surname alone": lambda dice, t, c: (t, c.partition(",")[0]),
    "slip in the title": lambda dice, t, c: (_slip(dice, t), c),
    "two slips in the title": lambda dice, t, c: (_slip(dice, _slip(dice, t)), _swapped(c)),
    "slip in the name": lambda dice, t, c: (t, _slip(dice, c)),
    "cut subtitle": lambda dice, t, c: (_cut(t), c),
    "cut subtitle, swapped names": lambda dice, t, c: (_cut(t), _swapped(c)),
    "wrong year": _year,
    "no creator": lambda dice, t, c: (t, ""),
    "cut subtitle, no creator": lambda dice, t, c: (_cut(t), ""),
    "slips in both": lambda dice, t, c: (_slip(dice, _cut(t)), _slip(dice, _swapped(c))),
}
