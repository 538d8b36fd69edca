"""Clocks are data: which rule governs an amount, and the days on which its terms are over (domain: "Clocks are data")."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

import royalties.outstanding
from accounts.identity.core import Refusal
from royalties.outstanding import core
from royalties.outstanding.models import ClockRule

Day = datetime.date
DAYS = st.dates(Day(1990, 1, 1), Day(2090, 12, 31))
TERMS: dict[str, Any] = {
    "terms": "TRUST", "version": 1, "valid_from": "2026-01-01", "valid_to": None, "jurisdiction": "KR", "year_end_month": 12,
    "remuneration_tariffs": ["SCHOOL"], "source": "Trust contract, art. 17",
    "rules": [{"name": "KEPT", "basis": "collective", "reasons": ["unmatched", "no_share"], "starts_from": "notice",
               "steps": {"publish": 12, "expire": 36}}],
}  # fmt: skip


def law(place: str) -> list[core.Rule]:
    text = Path(royalties.outstanding.__file__).with_name("law").joinpath(f"{place}.json").read_text(encoding="utf-8")
    return core.read_law(json.loads(text))


def days(rule: core.Rule, collected: Day, noticed: Day | None = None, end_month: int = 12) -> core.Days:
    return core.days_of(rule, collected_on=collected, allocated_on=collected, noticed_on=noticed, end_month=end_month)


def test_the_directive_counts_from_the_end_of_the_financial_year_of_collection() -> None:
    """2014/26/EU art. 13: nine months to pay; three more to tell members and sisters; a year more to tell all; three years."""
    [rule] = law("eu")
    for collected in (Day(2025, 1, 1), Day(2025, 12, 31)):
        found = days(rule, collected)
        assert found == core.Days(Day(2026, 1, 1), Day(2026, 10, 1), Day(2027, 1, 1), Day(2028, 1, 1), Day(2029, 1, 1))
    assert days(rule, Day(2026, 1, 1)).expire == Day(2030, 1, 1)
    assert days(rule, Day(2024, 2, 29), end_month=2).pay == Day(2024, 12, 1)  # a year that ends with February


def test_remuneration_in_korea_waits_five_years_from_the_notice() -> None:
    """Copyright Act art. 25(10). The day of the notice does not count (Civil Act art. 157)."""
    [rule] = law("kr")
    assert days(rule, Day(2026, 1, 1)) == core.Days(None)  # no notice yet: no clock runs
    assert days(rule, Day(2026, 1, 1), Day(2026, 3, 1)).expire == Day(2031, 3, 2)
    assert days(rule, Day(2024, 1, 1), Day(2024, 2, 28)).expire == Day(
        2029, 3, 1
    )  # begins on 29 February, ends with February


def test_a_term_whose_last_month_is_too_short_ends_with_that_month() -> None:
    assert core.months_after(Day(2026, 1, 31), 1) == Day(2026, 3, 1)
    assert core.months_after(Day(2024, 1, 31), 1) == Day(2024, 3, 1)
    assert core.months_after(Day(2025, 8, 31), 6) == Day(2026, 3, 1)
    assert core.months_after(Day(2025, 10, 31), 2) == Day(2025, 12, 31)
    assert core.months_after(Day(2025, 11, 30), 1) == Day(2025, 12, 30)


def test_law_governs_before_terms_and_what_is_named_before_what_is_general() -> None:
    terms = core.read_terms(TERMS)
    rules = [*law("kr"), *law("eu"), *terms.rules]

    may = Day(2026, 5, 1)

    def name(basis: str, reason: str, on: Day = may, place: str = "KR") -> str | None:
        found = core.governing(rules, jurisdiction=place, basis=basis, reason=reason, on=on)
        return found.name if found else None

    assert name("remuneration", "unmatched") == "KR-REMUNERATION"
    assert name("collective", "unmatched") == "KEPT"
    assert name("collective", "disputed") is None  # nothing says when: it is kept
    assert name("collective", "unmatched", Day(2025, 12, 31)) is None  # before the terms
    assert name("collective", "disputed", place="EU") == "EU-COLLECTED"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"strange": 1}, "/strange"), ({"year_end_month": 13}, "/year_end_month"), ({"year_end_month": True}, "/year_end_month"),
        ({"valid_to": "2026-01-01"}, "/valid_to"), ({"valid_from": "2026-02-30"}, "/valid_from"), ({"valid_from": 2026}, "/valid_from"),
        ({"rules": [TERMS["rules"][0] | {"reasons": ["lost"]}]}, "/rules/0/reasons"),
        ({"rules": [TERMS["rules"][0] | {"steps": {"publish": 12, "expire": 6}}]}, "/rules/0/steps"),
        ({"rules": [TERMS["rules"][0] | {"steps": {}}]}, "/rules/0/steps"),
        ({"rules": [TERMS["rules"][0] | {"steps": {"expire": "36"}}]}, "/rules/0/steps/expire"),
        ({"rules": TERMS["rules"] * 2}, "/rules/1/reasons"), ({"rules": [[]]}, "/rules/0"),
        ({"remuneration_tariffs": [1]}, "/remuneration_tariffs"), ({"terms": "a\x00"}, "/terms"),
    ],
)  # fmt: skip
def test_terms_are_read_strictly(change: dict[str, Any], where: str) -> None:
    with pytest.raises(Refusal) as refused:
        core.read_terms(TERMS | change)
    assert refused.value.pointer == where


def test_ages_have_their_buckets_to_the_day() -> None:
    found = [core.bucket(age) for age in (-3, 0, 90, 91, 181, 182, 365, 366, 730, 731, 1095, 1096, 1826, 1827, 9999)]
    assert found == [0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]


@pytest.mark.django_db
def test_the_laws_are_on_record() -> None:
    rows = ClockRule.objects.filter(terms=None).order_by("name").values_list("name", "starts_from", "pay", "expire")
    assert list(rows) == [("EU-COLLECTED", "year_end", 9, 36), ("KR-REMUNERATION", "notice", None, 60)]


@pytest.mark.django_db
@settings(max_examples=15)
@given(st.lists(st.tuples(DAYS, st.integers(1, 600), st.integers(1, 12)), min_size=20, max_size=60))
def test_sql_says_what_the_rules_say(cases: list[tuple[Day, int, int]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT royalties_months_after(d, m), royalties_year_after(d, e) "
            "FROM unnest(%s::date[], %s::int[], %s::int[]) WITH ORDINALITY x (d, m, e, n) ORDER BY n",
            [list(column) for column in zip(*cases, strict=True)],
        )
        found = cursor.fetchall()
    assert found == [(core.months_after(d, m), core.year_after(d, e)) for d, m, e in cases]
