"""The engine's allocation equals the big-integer oracle: exact, and independent of row order, ids and threads."""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import royalties.distribution
from licensing.engine import connect
from licensing.engine.core import Engine
from royalties.distribution.core import Line, Part, Share, Use, allocate

FOLDER = Path(royalties.distribution.__file__).parent
DAY = datetime.date(2026, 1, 1)
FACTOR = 1_000_000
KEYS = ["A", "B", "a", "Z", "가", "나", "domain:x.kr", "é", "W10", "W9"]


def day(number: int) -> datetime.date:
    return DAY + datetime.timedelta(days=number)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with connect() as made:
        yield made


def _identifier(use: Use) -> tuple[str, ...]:
    return ("", "") if use.work else tuple(use.key.split(":", 1))


def on_engine(
    engine: Engine,
    uses: Sequence[Use],
    shares: Sequence[Share],
    *,
    distributable: int,
    equal_part: int,
    ids: random.Random,
) -> list[Line]:
    """The same question put to `weigh.sql` and `allocate.sql`, in one pool with ids drawn at random."""
    keys = sorted({use.key for use in uses if use.work} | {share.key for share in shares})
    work_id = dict(zip(keys, ids.sample(range(1, 10_000), len(keys)), strict=True))
    holders = sorted({share.holder for share in shares})
    holder_id = dict(zip(holders, ids.sample(range(1, 10_000), len(holders)), strict=True))
    engine.table(
        "declared",
        {"pool": "BIGINT", "key": "VARCHAR", "work_id": "BIGINT", "scheme": "VARCHAR", "value": "VARCHAR", "kind": "VARCHAR",
         "use": "VARCHAR", "unit": "VARCHAR", "used_on": "DATE", "units": "DECIMAL(38,0)"},
        [(7, u.key, work_id[u.key] if u.work else None, *_identifier(u), "web", "train", "token", u.used_on, u.weight) for u in uses],
    )  # fmt: skip
    engine.table(
        "factor",
        {"kind": "VARCHAR", "use": "VARCHAR", "unit": "VARCHAR", "factor": "BIGINT"},
        [("web", "train", "token", 1)],
    )
    engine.table(
        "held_share",
        {"work_id": "BIGINT", "holder_id": "BIGINT", "holder_ref": "VARCHAR", "role": "VARCHAR", "ppm": "INTEGER", "disputed": "BOOLEAN",
         "valid_from": "DATE", "valid_to": "DATE"},
        [(work_id[s.key], holder_id[s.holder], s.holder, s.role, s.ppm, s.disputed, s.valid_from, s.valid_to) for s in shares],
    )  # fmt: skip
    engine.table(
        "pool",
        {"pool": "BIGINT", "equal_part": "BIGINT", "rest": "BIGINT"},
        [(7, equal_part, distributable - equal_part)],
    )
    engine.run(FOLDER / "weigh.sql")
    engine.run(FOLDER / "allocate.sql")
    back = {number: ref for ref, number in holder_id.items()} | {None: ""}
    rows = engine.rows(
        "SELECT key, work_id, used_on, holder_id, role, ppm, status, reason, weight, work_amount, set_amount, amount "
        "FROM allocation ORDER BY seq, used_on, place"
    )
    return [
        Line(
            key,
            work is not None,
            used_on,
            Part(back[holder], role, ppm, status, reason),
            int(weight),
            work_amount,
            set_amount,
            amount,
        )
        for key, work, used_on, holder, role, ppm, status, reason, weight, work_amount, set_amount, amount in rows
    ]


@st.composite
def questions(draw: st.DrawFn) -> tuple[list[Use], list[Share], int, int]:
    """A pool: works and unmatched identifiers used on some days, shares that change, overlap, lack or exceed the whole."""
    works = draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=6, unique=True))
    weight = st.integers(0, draw(st.sampled_from([3, 1_000, 10**15 * FACTOR])))
    uses = draw(
        st.lists(
            st.builds(Use, st.sampled_from(works), st.just(True), st.integers(0, 9).map(day), weight),
            min_size=1,
            max_size=15,
        )
    )
    uses += draw(
        st.lists(
            st.builds(
                Use,
                st.sampled_from(["domain:x.kr", "isbn:1", "domain:가.kr"]),
                st.just(False),
                st.integers(0, 9).map(day),
                weight,
            ),
            max_size=4,
        )
    )
    uses.append(Use(works[0], True, DAY, 1))
    shares = []
    for key in works:
        for holder, role in draw(
            st.lists(
                st.tuples(st.sampled_from(["h1", "h10", "h2", "홍"]), st.sampled_from(["", "author", "b,c"])),
                max_size=4,
                unique=True,
            )
        ):
            for start, end in draw(st.sampled_from([[(0, 99)], [(0, 4), (4, 99)], [(2, 6)], [(0, 3), (5, 99)], []])):
                ppm = draw(
                    st.sampled_from([1, 250_000, 333_333, 333_334, 500_000, 1_000_000]) | st.integers(1, 1_000_000)
                )
                shares.append(Share(key, holder, role, ppm, draw(st.booleans()), day(start), day(end)))
    limit = min(10**15 - 1, (10**37 - 1) // max(sum(use.weight for use in uses), 1))
    distributable = draw(st.integers(0, limit) | st.integers(0, min(limit, 1_000)))
    return (
        uses,
        shares,
        distributable,
        draw(st.sampled_from([0, distributable, distributable // 10, distributable // 2])),
    )


@settings(max_examples=80, deadline=None)
@given(question=questions(), seed=st.integers(0, 2**32))
def test_the_engine_equals_the_oracle_in_any_order_and_sums_exactly(engine: Engine, question, seed: int) -> None:
    uses, shares, distributable, equal_part = question
    expected = allocate(uses, shares, distributable=distributable, equal_part=equal_part)
    shuffle = random.Random(seed)
    shuffle.shuffle(uses)
    shuffle.shuffle(shares)
    got = on_engine(engine, uses, shares, distributable=distributable, equal_part=equal_part, ids=shuffle)
    assert sum(line.amount for line in got) == distributable
    assert got == expected


def test_large_amounts_stay_exact_near_the_guards(engine: Engine) -> None:
    draw = random.Random(2026)
    for amount, weight in [
        (10**15 - 1, 10**21),
        (10**12 + 39, 10**24 - 1),
        (999_999_999_999_989, 3),
        (10**8 + 7, 10**28),
    ]:
        uses = [Use(f"W{n}", True, DAY, draw.randrange(weight // 10, weight)) for n in range(9)]
        shares = [
            Share(f"W{n}", f"h{m}", "", ppm) for n in range(9) for m, ppm in enumerate((333_334, 333_333, 333_333))
        ]
        assert amount * sum(use.weight for use in uses) < 10**37
        got = on_engine(engine, uses, shares, distributable=amount, equal_part=0, ids=draw)
        assert got == allocate(uses, shares, distributable=amount)
        assert sum(line.amount for line in got) == amount


def test_threads_do_not_move_a_won(engine: Engine) -> None:
    draw = random.Random(5)
    uses = [Use(f"W{n}", True, DAY, draw.randrange(1, 50)) for n in range(3_000)]
    shares = [Share(f"W{n}", f"h{draw.randrange(99)}", role, 333_333) for n in range(3_000) for role in ("a", "b", "c")]
    results = []
    for threads in (1, 2, 5):
        engine.execute(f"SET threads = {threads}")
        results.append(
            on_engine(engine, uses, shares, distributable=1_000_003, equal_part=10_007, ids=random.Random(threads))
        )
    assert results[0] == results[1] == results[2]
