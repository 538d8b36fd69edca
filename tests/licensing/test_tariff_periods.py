"""The billing periods that a tariff's prices are for."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.identity.core import Refusal
from licensing.tariffs.periods import check_period, months_after, period_of
from licensing.tariffs.schedule import PERIODS


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-01", 1, "2026-02-01"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2026-12-31", 36, "2029-12-31"),
    ],
)
def test_a_month_later_is_the_same_day_or_the_months_last(start: str, months: int, end: str) -> None:
    assert months_after(day(start), months) == day(end)


def test_periods_are_counted_from_the_first_day_and_do_not_drift() -> None:
    since = day("2026-01-31")
    found = [period_of(day(d), since=since, until=None, months=1) for d in ("2026-02-27", "2026-02-28", "2026-03-31")]
    assert found == [
        (day("2026-01-31"), day("2026-02-28")),
        (day("2026-02-28"), day("2026-03-31")),
        (day("2026-03-31"), day("2026-04-30")),
    ]


def test_the_end_of_the_term_cuts_the_last_period() -> None:
    since, until = day("2026-01-01"), day("2027-05-15")
    assert period_of(day("2027-01-01"), since=since, until=until, months=12) == (day("2027-01-01"), until)
    assert period_of(until, since=since, until=until, months=12) is None
    assert period_of(day("2025-12-31"), since=since, until=until, months=12) is None


@given(
    st.dates(dt.date(2020, 1, 1), dt.date(2035, 12, 31)),
    st.sampled_from(PERIODS),
    st.integers(0, 4000),
    st.none() | st.integers(1, 3000),
)
def test_every_day_of_a_term_lies_in_one_period_and_they_touch(
    since: dt.date, months: int, days: int, length: int | None
) -> None:
    until = None if length is None else since + dt.timedelta(days=length)
    asked = since + dt.timedelta(days=days)
    found = period_of(asked, since=since, until=until, months=months)
    if until is not None and asked >= until:
        assert found is None
        return
    start, end = found
    assert since <= start <= asked < end
    assert end <= (until or end)
    check_period(found, since=since, until=until, months=months)
    if start > since:
        before = period_of(start - dt.timedelta(days=1), since=since, until=until, months=months)
        assert before is not None and before[1] == start
    if end != until:
        after = period_of(end, since=since, until=until, months=months)
        assert after is not None and after[0] == end


@pytest.mark.parametrize(
    ("period", "code"),
    [
        (("2026-01-15", "2026-04-15"), None),
        (("2026-04-15", "2026-07-15"), None),
        (("2026-10-15", "2026-12-01"), None),  # cut by the end of the term
        (("2026-10-15", "2027-01-15"), "other_period"),
        (("2026-01-15", "2026-02-15"), "other_period"),
        (("2026-01-15", "2026-07-15"), "other_period"),
        (("2026-01-01", "2026-04-01"), "outside_term"),
        (("2026-02-15", "2026-05-15"), "other_period"),
        (("2026-12-01", "2027-03-01"), "outside_term"),
    ],
)
def test_only_the_periods_of_the_prices_are_priced(period: tuple[str, str], code: str | None) -> None:
    asked = (day(period[0]), day(period[1]))
    term = {"since": day("2026-01-15"), "until": day("2026-12-01")}
    check_period(asked, **term, months=None)
    if code is None:
        check_period(asked, **term, months=3)
        return
    with pytest.raises(Refusal) as caught:
        check_period(asked, **term, months=3)
    assert caught.value.code == code


def test_the_refusal_says_which_period_to_use() -> None:
    with pytest.raises(Refusal, match="from 2026-04-15 to 2026-07-15"):
        check_period((day("2026-05-01"), day("2026-08-01")), since=day("2026-01-15"), until=None, months=3)
