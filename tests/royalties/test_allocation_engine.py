"""The engine's allocation equals the big-integer oracle: exact, and independent of row order, ids and threads."""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import royalties.distribution
from licensing.engine import connect
from licensing.engine.core import Engine
from royalties.distribution.core import Line, Part, Share, Use, allocate

FOLDER = Path(royalties.distribution.__file__).parent
DAY = datetime.date(2026, 1, 1)
FACTOR_LIMIT = 1_000_000
KEYS = ["A", "B", "a", "Z", "가", "나", "domain:x.kr", "é", "W10", "W9"]


def day(number: int) -> datetime.date:
    return DAY + datetime.timedelta(days=number)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with connect() as made:
        yield made


def _identifier(use: Use) -> tuple[str, ...]:
    return ("", "") if use.work else tuple(use.key.split(":", 1))


@dataclass(frozen=True)
class Pool:
    """What one pool asks: its uses, and what is to be divided."""

    uses: list[Use]
    distributable: int
    equal_part: int = 0

    def row(self, number: int) -> tuple[int, int, int]:
        return number, self.equal_part, self.distributable - self.equal_part


DECLARED = {
    "pool": "BIGINT", "key": "VARCHAR", "work_id": "BIGINT", "scheme": "VARCHAR", "value": "VARCHAR", "kind": "VARCHAR",
    "use": "VARCHAR", "unit": "VARCHAR", "used_on": "DATE", "units": "DECIMAL(38,0)",
}  # fmt: skip
HELD_SHARE = {
    "work_id": "BIGINT", "holder_id": "BIGINT", "holder_ref": "VARCHAR", "role": "VARCHAR", "ppm": "INTEGER",
    "disputed": "BOOLEAN", "valid_from": "DATE", "valid_to": "DATE",
}  # fmt: skip
CASE_POOL = {"pool": "BIGINT", "holder_id": "BIGINT", "holder_ref": "VARCHAR"}
FACTOR = {"kind": "VARCHAR", "use": "VARCHAR", "unit": "VARCHAR", "factor": "BIGINT"}


def on_engine(engine: Engine, pools: Sequence[Pool], shares: Sequence[Share], ids: random.Random) -> list[list[Line]]:
    """The same question put to `weigh.sql` and `allocate.sql`, in a random order and with ids drawn at random."""
    keys = sorted({use.key for pool in pools for use in pool.uses if use.work} | {share.key for share in shares})
    work_id = dict(zip(keys, ids.sample(range(1, 100_000), len(keys)), strict=True))
    holders = sorted({share.holder for share in shares})
    holder_id = dict(zip(holders, ids.sample(range(1, 100_000), len(holders)), strict=True))
    numbers = ids.sample(range(1, 1_000), len(pools))
    declared = [
        (
            number,
            u.key,
            work_id[u.key] if u.work else None,
            *_identifier(u),
            "web",
            "train",
            "token",
            u.used_on,
            u.weight,
        )
        for number, pool in zip(numbers, pools, strict=True)
        for u in pool.uses
    ]
    held = [
        (work_id[s.key], holder_id[s.holder], s.holder, s.role, s.ppm, s.disputed, s.valid_from, s.valid_to)
        for s in shares
    ]
    engine.table("declared", DECLARED, ids.sample(declared, len(declared)))
    engine.table("factor", FACTOR, [("web", "train", "token", 1)])
    engine.table("case_pool", CASE_POOL)
    engine.table("held_share", HELD_SHARE, ids.sample(held, len(held)))
    rows = [pool.row(number) for number, pool in zip(numbers, pools, strict=True)]
    engine.table("pool", {"pool": "BIGINT", "equal_part": "BIGINT", "rest": "BIGINT"}, rows)
    engine.run(FOLDER / "weigh.sql")
    engine.run(FOLDER / "allocate.sql")
    back = {number: ref for ref, number in holder_id.items()} | {None: ""}
    return [[_line(row, back) for row in engine.rows(LINES, [number])] for number in numbers]


LINES = """
    SELECT key, work_id, used_on, holder_id, role, ppm, status, reason, weight, work_amount, set_amount, amount
    FROM allocation WHERE pool = ? ORDER BY seq, used_on, place"""


def _line(row: tuple[Any, ...], holders: dict[int | None, str]) -> Line:
    key, work, used_on, holder, role, ppm, status, reason, weight, *amounts = row
    return Line(key, work is not None, used_on, Part(holders[holder], role, ppm, status, reason), int(weight), *amounts)


def by_hand(pools: Sequence[Pool], shares: Sequence[Share]) -> list[list[Line]]:
    return [allocate(pool.uses, shares, distributable=pool.distributable, equal_part=pool.equal_part) for pool in pools]


@st.composite
def a_pool(draw: st.DrawFn, works: list[str]) -> Pool:
    """Works and unmatched identifiers used on some days, and an amount that the guards allow."""
    weight = st.integers(0, draw(st.sampled_from([3, 1_000, 10**15 * FACTOR_LIMIT])))
    days = st.integers(0, 9).map(day)
    of_works = st.builds(Use, st.sampled_from(works), st.just(True), days, weight)
    unmatched = st.builds(Use, st.sampled_from(["domain:x.kr", "isbn:1", "domain:가.kr"]), st.just(False), days, weight)
    uses = draw(st.lists(of_works, min_size=1, max_size=15)) + draw(st.lists(unmatched, max_size=4))
    uses.append(Use(works[0], True, DAY, 1))
    limit = min(10**15 - 1, (10**37 - 1) // sum(use.weight for use in uses))
    amount = draw(st.integers(0, limit) | st.integers(0, min(limit, 1_000)))
    return Pool(uses, amount, draw(st.sampled_from([0, amount, amount // 10, amount // 2])))


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[Pool], list[Share]]:
    """One to three pools over the same works, whose shares change, overlap, lack or exceed the whole."""
    works = draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=6, unique=True))
    part = st.sampled_from([1, 250_000, 333_333, 333_334, 500_000, 1_000_000]) | st.integers(1, 1_000_000)
    who = st.tuples(st.sampled_from(["h1", "h10", "h2", "홍"]), st.sampled_from(["", "author", "b,c"]))
    spans = st.sampled_from([[(0, 99)], [(0, 4), (4, 99)], [(2, 6)], [(0, 3), (5, 99)], []])
    shares = [
        Share(key, holder, role, draw(part), draw(st.booleans()), day(start), day(end))
        for key in works
        for holder, role in draw(st.lists(who, max_size=4, unique=True))
        for start, end in draw(spans)
    ]
    return draw(st.lists(a_pool(works), min_size=1, max_size=3)), shares


@settings(max_examples=50, deadline=None)
@given(question=questions(), seed=st.integers(0, 2**32))
def test_the_engine_equals_the_oracle_in_any_order_and_sums_exactly(
    engine: Engine, question: tuple[list[Pool], list[Share]], seed: int
) -> None:
    pools, shares = question
    got = on_engine(engine, pools, shares, random.Random(seed))
    assert [sum(line.amount for line in lines) for lines in got] == [pool.distributable for pool in pools]
    assert got == by_hand(pools, shares)


def test_large_amounts_stay_exact_near_the_guards(engine: Engine) -> None:
    draw = random.Random(2026)
    shares = [Share(f"W{n}", f"h{m}", "", ppm) for n in range(9) for m, ppm in enumerate((333_334, 333_333, 333_333))]
    pools = []
    for amount, weight in (
        (10**15 - 1, 10**21),
        (10**12 + 39, 10**24 - 1),
        (999_999_999_999_989, 3),
        (10**8 + 7, 10**28),
    ):
        pools.append(
            Pool([Use(f"W{n}", True, DAY, draw.randrange(weight // 10 + 1, weight)) for n in range(9)], amount)
        )
        assert amount * sum(use.weight for use in pools[-1].uses) < 10**37
    got = on_engine(engine, pools, shares, draw)
    assert got == by_hand(pools, shares)
    assert [sum(line.amount for line in lines) for lines in got] == [pool.distributable for pool in pools]


def test_threads_do_not_move_a_won(engine: Engine) -> None:
    draw = random.Random(5)
    pool = Pool([Use(f"W{n}", True, DAY, draw.randrange(1, 50)) for n in range(3_000)], 1_000_003, 10_007)
    shares = [Share(f"W{n}", f"h{draw.randrange(99)}", role, 333_333) for n in range(3_000) for role in ("a", "b", "c")]
    results = []
    for threads in (1, 2, 5):
        engine.execute(f"SET threads = {threads}")
        results.append(on_engine(engine, [pool], shares, random.Random(threads)))
    assert results[0] == results[1] == results[2] == by_hand([pool], shares)
