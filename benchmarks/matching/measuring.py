"""Scores from one half of the labelled questions, and what they are worth on the other half."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from benchmarks.matching.pairs import Question, Work
from licensing.engine.duck import connect
from licensing.matching import indexing
from licensing.matching.core import scoring, spellings, title_key

_WELL: Final = 1.96


@dataclass(frozen=True, slots=True)
class Answered:
    """A question with what is found exactly and the likest works, each with its class."""

    question: Question
    exact: int | None
    near: tuple[tuple[int, str, str], ...]  # work, class of the title, class of the creators


def answer(works: Sequence[Work], questions: Sequence[Question]) -> list[Answered]:
    """What the register of these works gives for each question."""
    register = [work for work in works if work.registered]
    exact: dict[str, set[int]] = defaultdict(set)
    entries = []
    for work in register:
        for key, plain in spellings(work.title, work.creators):
            exact[key].add(work.number)
            if plain:
                entries.append((work.number, key))
    keys = [title_key(question.title, question.creators) for question in questions]
    with connect() as engine:
        engine.table("entry", {"work_id": "BIGINT", "value": "VARCHAR"}, entries)
        indexing.index(engine)
        near = indexing.look_up(engine, keys)
    return [
        Answered(
            question,
            next(iter(exact[key])) if len(exact.get(key, ())) == 1 else None,
            tuple((found.work_id, found.likeness.title, found.likeness.creators) for found in those),
        )
        for question, key, those in zip(questions, keys, near, strict=True)
    ]


def fit(answered: Sequence[Answered]) -> dict[tuple[str, str], tuple[int, int, float]]:
    """Class → (pairs, of which the same work, score): shares, made monotone from better titles to worse."""
    seen: Counter[tuple[str, str]] = Counter()
    same: Counter[tuple[str, str]] = Counter()
    for one in answered:
        for work, title, creators in one.near:
            seen[title, creators] += 1
            same[title, creators] += work == one.question.work
    table = {}
    for creators in scoring.CREATORS:
        cells = [(title, seen[title, creators], same[title, creators]) for title in scoring.TITLES]
        for (title, pairs, right), score in zip(cells, _falling([(n, k) for _title, n, k in cells]), strict=True):
            table[title, creators] = (pairs, right, score)
    return table


def _falling(counts: Sequence[tuple[int, int]]) -> list[float]:
    """The shares right / pairs, each with half a pair of doubt, pooled until they fall from first to last."""
    pools: list[list[float]] = []  # pairs, right, cells
    for pairs, right in counts:
        pools.append([pairs, right, 1])
        while len(pools) > 1 and _share(pools[-1]) > _share(pools[-2]):
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    return [_share(pool) for pool in pools for _cell in range(int(pool[2]))]


def _share(pool: Sequence[float]) -> float:
    return (pool[1] + 0.25) / (pool[0] + 1)


def measured(answered: Sequence[Answered]) -> dict[str, Any]:
    """Precision, recall and recall@5 by the scores and the threshold of the product."""
    taken = right = exact = exact_right = there = fifth = 0
    missed: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for one in answered:
        meant = one.question.work
        first = one.exact
        scores = [scoring.score(scoring.Likeness(title, creators)) for _work, title, creators in one.near]
        if first is None and scoring.certain(scores, one.near[0][2] if one.near else ""):
            first = one.near[0][0]
        if first is not None:
            taken += 1
            right += first == meant
            exact += one.exact is not None
            exact_right += one.exact is not None and first == meant
            wrong[one.question.how] += first != meant
        if meant is not None:
            there += 1
            found = meant in [work for work, *_ in one.near]
            fifth += found
            missed[one.question.how] += first != meant
    return {
        "questions": len(answered),
        "about_registered_works": there,
        "decided": taken,
        "decided_right": right,
        "precision": ratio(right, taken),
        "precision_lower_95": lower(right, taken),
        "precision_exact": ratio(exact_right, exact),
        "precision_matcher": ratio(right - exact_right, taken - exact),
        "precision_matcher_lower_95": lower(right - exact_right, taken - exact),
        "decided_exactly": exact,
        "decided_by_likeness": taken - exact,
        "recall": ratio(right, there),
        "recall_at_5": ratio(fifth, there),
        "threshold": str(scoring.threshold()),
        "wrong_by_kind": {k: v for k, v in wrong.most_common() if v},
        "left_to_people_by_kind": {k: v for k, v in missed.most_common() if v},
    }


def ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 5) if whole else None


def lower(right: int, of: int) -> float | None:
    """The lower end of Wilson's interval of 95 %."""
    if not of:
        return None
    share, square = right / of, _WELL**2
    middle = share + square / (2 * of)
    spread = _WELL * math.sqrt(share * (1 - share) / of + square / (4 * of**2))
    return round((middle - spread) / (1 + square / of), 5)


def as_score(value: float) -> str:
    return str(Decimal(value).quantize(Decimal("0.0001")))
