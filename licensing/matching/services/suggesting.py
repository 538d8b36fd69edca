"""Works that a value may mean, the likeliest first, with reasons that a person understands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Final, NamedTuple

from django.db import connection

from licensing.engine import duck
from licensing.engine.core import Engine
from licensing.matching import indexing
from licensing.matching.core import SEVERAL, members, scoring, title_key
from licensing.matching.models import MatchRule
from licensing.matching.services.deciding import Guess
from licensing.matching.services.spelling import refresh_titles

_ENTRY: Final = {"work_id": "BIGINT", "value": "VARCHAR"}
_ENTRIES: Final = """
SELECT coalesce(m.survivor_id, t.work_id), t.value FROM licensing_titlekey t
LEFT JOIN licensing_merged m ON m.work_id = t.work_id WHERE t.society_id = %s AND t.plain"""


class Candidate(NamedTuple):
    """A work that a line may mean: how sure that is (0 to 1), and why (texts for gettext)."""

    work_id: int
    score: Decimal
    why: tuple[str, ...]


def candidates(society_id: int, asked: Sequence[tuple[str, str, str, str]], limit: int = 5) -> list[list[Candidate]]:
    """For each (scheme, value, title, creators), in order, the works that it may mean: at most `limit`, the best first.

    By title and creators, where it has any; and of several identifiers that point to different works, those works.
    """
    keys = [_key(*one) for one in asked]
    named = sorted({key for key in keys if key})
    found: dict[str, list[indexing.Found]] = {}
    if named:
        with _index(society_id) as engine:
            found = dict(zip(named, indexing.look_up(engine, named, limit=limit), strict=True))
    told = [_identified(society_id, value) if scheme == SEVERAL else [] for scheme, value, *_ in asked]
    return [_together(first, found.get(key, []))[:limit] for first, key in zip(told, keys, strict=True)]


def guesses(society_id: int, keys: Sequence[str]) -> list[Guess]:
    """What these titles mean for certain though they are not spelled as the register's (`scoring.certain`).

    What was guessed before and taken back is not guessed again.
    """
    if not keys:
        return []
    with _index(society_id) as engine:
        found = indexing.look_up(engine, keys)
    sure = {key: those[0] for key, those in zip(keys, found, strict=True) if indexing.certain(those)}
    before = MatchRule.objects.filter(society_id=society_id, scheme="title", value__in=list(sure))
    refused = set(before.exclude(withdrawn_at=None).values_list("value", "work_id"))
    return [
        Guess("title", key, one.work_id, one.score, "; ".join(one.likeness.why))
        for key, one in sure.items()
        if (key, one.work_id) not in refused
    ]


@contextmanager
def _index(society_id: int) -> Iterator[Engine]:
    """An engine inside the process with the titles of a society, ready to be looked up."""
    refresh_titles(society_id)
    with duck.connect() as engine:
        engine.take("entry", _ENTRY, _ENTRIES, [society_id])
        indexing.index(engine)
        yield engine


def _key(scheme: str, value: str, title: str, creators: str) -> str:
    if title.strip():
        return title_key(title, creators)
    return value if scheme == "title" else ""


def _identified(society_id: int, value: str) -> list[Candidate]:
    """The works to which several identifiers point; none is likelier than another."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT work FROM (
              SELECT licensing_meaning(%s, scheme, value) AS work
              FROM unnest(%s::text[], %s::text[]) AS said(scheme, value)) m WHERE work IS NOT NULL ORDER BY work""",
            [society_id, *map(list, zip(*members(value), strict=True))],
        )
        works = [work for (work,) in cursor.fetchall()]
    return [
        Candidate(work, Decimal(round(1 / len(works), 4)).quantize(Decimal("0.0001")), (scoring.NAMED,))
        for work in works
    ]


def _together(named: Sequence[Candidate], alike: Sequence[indexing.Found]) -> list[Candidate]:
    """Works that identifiers name, with what their titles say; then those that are only alike."""
    by_title = {found.work_id: found for found in alike}
    first = [
        Candidate(
            one.work_id, one.score, one.why + (by_title[one.work_id].likeness.why if one.work_id in by_title else ())
        )
        for one in named
    ]
    first.sort(key=lambda one: (-(by_title[one.work_id].score if one.work_id in by_title else 0), one.work_id))
    known = {one.work_id for one in named}
    return first + [Candidate(f.work_id, f.score, f.likeness.why) for f in alike if f.work_id not in known]
