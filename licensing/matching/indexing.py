"""Works that a title may mean: looked up in blocks on an engine inside the process, compared by `core.scoring`.

Bounded work for each that is asked (`blocks.sql`), and the same answer whatever the order of works or questions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

from licensing.engine.core import Engine
from licensing.matching.core import key_parts, scoring

_INDEX: Final = Path(__file__).with_name("index.sql")
_BLOCKS: Final = Path(__file__).with_name("blocks.sql")
# Words of the title, of the names, the title's beginning and end, and the beginning with each word of a name; of Hangul and
# Han, where a title is one word, every two signs.
_WORDS_OF: Final = """CREATE OR REPLACE MACRO words_of(value) AS list_concat(
  list_filter(string_split(split_part(value, ' / ', 1), ' '), lambda w: length(w) > 1),
  list_transform(list_filter(string_split(replace(split_part(value, ' / ', 2), ';', ' '), ' '), lambda w: length(w) > 1),
                 lambda w: '@' || w),
  ['^' || left(replace(split_part(value, ' / ', 1), ' ', ''), 6), '$' || right(replace(split_part(value, ' / ', 1), ' ', ''), 6)],
  list_transform(list_filter(string_split(replace(split_part(value, ' / ', 2), ';', ' '), ' '), lambda w: length(w) > 1),
                 lambda w: '&' || left(replace(split_part(value, ' / ', 1), ' ', ''), 4) || w),
  CASE WHEN regexp_matches(value, '[\u3400-\u9fff\uac00-\ud7a3]')
       THEN list_transform(range(1, least(length(split_part(value, ' / ', 1)), 40)),
                           lambda i: '~' || substr(split_part(value, ' / ', 1), i, 2))
       ELSE [] END)"""
_BATCH: Final = 2000  # asked together


class Found(NamedTuple):
    """A work that is like what was asked, how sure that is, and how the two compare."""

    work_id: int
    score: Decimal
    likeness: scoring.Likeness


def named(value: str) -> scoring.Named:
    title, creators = key_parts(value)
    return scoring.Named(title.strip(), creators)


def index(engine: Engine) -> None:
    """Make the works of the table `entry(work_id, value)` ready to be looked up."""
    engine.execute(_WORDS_OF)
    engine.run(_INDEX)


def look_up(engine: Engine, asked: Sequence[str], *, limit: int = 5) -> list[list[Found]]:
    """For each key, in order, the works of the index that are most like it, the likeliest first."""
    answers: list[list[Found]] = []
    for start in range(0, len(asked), _BATCH):
        batch = asked[start : start + _BATCH]
        engine.table("query", {"n": "BIGINT", "value": "VARCHAR"}, enumerate(batch))
        engine.run(_BLOCKS)
        near: list[list[tuple[int, str]]] = [[] for _one in batch]
        for rows in engine.stream("SELECT n, work_id, value FROM near_by"):
            for n, work_id, value in rows:
                near[n].append((work_id, value))
        known: list[set[str]] = [set() for _one in batch]
        for rows in engine.stream("SELECT n, word FROM known_word"):
            for n, word in rows:
                known[n].add(word)
        answers += [ranked(*one)[:limit] for one in zip(batch, near, known, strict=True)]
    return answers


def certain(found: Sequence[Found]) -> bool:
    """Whether the first one is meant for certain; needs two or more, where there are."""
    return bool(found) and scoring.certain([one.score for one in found], found[0].likeness.creators)


def ranked(value: str, works: Iterable[tuple[int, str]], known: Collection[str] = ()) -> list[Found]:
    """The works by their likeness, the likeliest first; each once, by the most like of its titles."""
    line = named(value)
    best: dict[int, tuple[Decimal, float, Found]] = {}
    for work_id, other in works:
        work = named(other)
        found = scoring.likeness(line, work, known)
        score = scoring.score(found)
        rank = (score, scoring.closeness(line, work), Found(work_id, score, found))
        if work_id not in best or rank[:2] > best[work_id][:2]:
            best[work_id] = rank
    order = sorted(best.values(), key=lambda each: (-each[0], -each[1], each[2].work_id))
    return [found for _score, _closeness, found in order]
