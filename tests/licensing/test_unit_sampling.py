"""A sample by units, and what may be said of all units from it."""

from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.identity.core import Refusal
from licensing.declarations import sampling, unit_sampling
from licensing.declarations.models import AuditSample, DeclaredUse
from licensing.declarations.services import auditing
from licensing.declarations.unit_sampling import Checked
from tests.licensing.declaring import Firm, declare, firm, lines

LEVEL = Decimal("0.950")


def test_units_are_drawn_alike_and_the_same_by_the_same_seed() -> None:
    drawn = unit_sampling.points("s", total=10, size=2000)
    assert drawn == unit_sampling.points("s", total=10, size=2000) != unit_sampling.points("t", total=10, size=2000)
    assert all(150 < drawn.count(unit) < 250 for unit in range(10))  # 200 each; four standard deviations are 54
    assert unit_sampling.points("s", total=10**30, size=1)[0] < 10**30


@given(
    st.lists(st.tuples(st.text("abc", min_size=1, max_size=4), st.integers(1, 9)), min_size=1, max_size=8, unique_by=lambda r: r[0]),
    st.randoms(),
)  # fmt: skip
def test_a_row_has_as_many_chances_as_units_in_whatever_order_it_comes(
    rows: list[tuple[str, int]], dice: random.Random
) -> None:
    every = range(sum(units for _key, units in rows))
    found = unit_sampling.chosen(rows, every)
    assert {key: found.count(key) for key, _units in rows} == dict(rows)
    assert unit_sampling.chosen(dice.sample(rows, len(rows)), every) == found


@given(st.fractions(0, 1, max_denominator=50), st.integers(1, 400), st.sampled_from(sorted(sampling.CONFIDENCES)))
@settings(max_examples=40, deadline=None)
def test_the_interval_holds_what_was_seen_and_no_margin_is_exceeded(share: Fraction, size: int, level: Decimal) -> None:
    """Pinsker: Hoeffding's bound by relative entropy is never wider than the one that the number of draws follows from."""
    low, high = unit_sampling.interval(misstated=share, size=size, confidence=level)
    assert 0 <= low <= Decimal(share.numerator) / share.denominator <= high <= 1
    widest = ((2 / (1 - level)).ln() / (2 * size)).sqrt() + Decimal("0.000002")
    assert high - low <= 2 * widest


def test_where_nothing_is_wrong_the_bound_is_the_exact_one() -> None:
    low, high = unit_sampling.interval(misstated=Fraction(0), size=300, confidence=LEVEL)
    assert (low, high) == sampling.interval(wrong=0, size=300, confidence=LEVEL)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    """500 audits of one declaration, of which a seventh of the units is misstated, by rows of very different size."""
    dice = random.Random(7)
    rows = {f"r{n}": 10 ** dice.randrange(1, 5) for n in range(60)}
    wrong = {key: Fraction(dice.randrange(1, 5), 4) for key in dice.sample(sorted(rows), 10)}
    total = sum(rows.values())
    truth = sum(rows[key] * part for key, part in wrong.items()) / Fraction(total)
    held = 0
    for nth in range(500):
        drawn = unit_sampling.chosen(list(rows.items()), unit_sampling.points(f"s{nth}", total=total, size=40))
        mean = sum((wrong.get(key, Fraction(0)) for key in drawn), Fraction()) / 40
        low, high = unit_sampling.interval(misstated=mean, size=40, confidence=Decimal("0.900"))
        held += low <= Decimal(truth.numerator) / truth.denominator <= high
    assert held >= 450


@pytest.mark.parametrize(
    ("row", "part"),
    [
        (Checked(100, 1, "right"), "0"),
        (Checked(100, 1, "missing"), "1"),
        (Checked(100, 1, "wrong", 75), "1/4"),
        (Checked(100, 1, "wrong", 130), "3/10"),
        (Checked(100, 1, "wrong", 900), "1"),  # never more than the row
        (Checked(100, 1, "wrong"), "1"),  # wrong in something else than its units
    ],
)
def test_what_part_of_a_row_is_misstated(row: Checked, part: str) -> None:
    assert row.misstated == Fraction(part)


def test_a_row_counts_as_often_as_it_was_drawn() -> None:
    rows = [Checked(1000, 3, "wrong", 500), Checked(10, 1, "right")]
    found = unit_sampling.estimate(rows=rows, confidence=LEVEL, declared=Decimal(1010), found=Decimal(510))
    assert (found["estimate"], found["size"], found["rows"], found["wrong"]) == ("0.375000", 4, 2, 1)


@pytest.fixture
def of(db: None) -> Firm:
    return firm()


def test_an_audit_by_units_draws_what_the_rule_says_and_ends_with_a_share_of_units(of: Firm) -> None:
    made = declare(of, lines(*(f"domain,s{n}.example.com,{10 ** (n % 5)}" for n in range(30))), submit=True)
    sample = auditing.draw_sample(
        actor=of.reviewer, declaration=made, size=60, confidence=LEVEL, seed="field", unit="token"
    )
    units = auditing.units_of(made)["token"]
    assert (sample.method, sample.population_units, sample.population) == ("units", units, 30)
    uses = {u.pk: u for u in DeclaredUse.objects.filter(declaration=made).select_related("work")}
    keys = {
        sampling.Row(
            u.work.ref if u.work else f"{u.scheme}:{u.value}", u.use, u.unit, u.used_on.isoformat(), u.status, u.basis
        ).key: u
        for u in uses.values()
    }
    drawn = unit_sampling.chosen(
        [(key, int(u.units)) for key, u in keys.items()], unit_sampling.points("field", total=int(units), size=60)
    )
    expected = [(keys[key].pk, drawn.count(key)) for key in dict.fromkeys(drawn)]
    assert list(sample.rows.order_by("position").values_list("use_id", "draws")) == expected
    findings = {row.position: auditing.Found("right") for row in sample.rows.all()}
    findings[1] = auditing.Found("missing")
    auditing.enter_findings(actor=of.reviewer, sample=sample, findings=findings)
    closed = auditing.close_audit(actor=of.reviewer, sample=sample)
    share = Decimal(expected[0][1]) / 60
    assert Decimal(closed.finding["estimate"]) == share.quantize(Decimal("0.000001"))
    assert closed.finding["size"] == 60


def test_only_units_that_were_declared_can_be_drawn_by(of: Firm) -> None:
    made = declare(of, lines("domain,s1.example.com,5"), submit=True)
    with pytest.raises(Refusal, match="no images"):
        auditing.draw_sample(actor=of.reviewer, declaration=made, size=5, confidence=LEVEL, unit="image")
    with pytest.raises(Refusal, match="2,000 units"):
        auditing.draw_sample(actor=of.reviewer, declaration=made, size=2001, confidence=LEVEL, unit="token")
    assert not AuditSample.objects.exists()
