"""When what is to be reported: reporting periods, due days, reminders, the year, the calendar file. Pure rules."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.declarations import calendar
from licensing.declarations.calendar import Entry, due_day, icalendar, months_of, periods_of, stage
from licensing.licences.conditions import PERIODS
from licensing.tariffs.periods import months_after, period_of

DAYS = st.dates(dt.date(1990, 1, 1), dt.date(2060, 12, 31))
LENGTHS = st.sampled_from(PERIODS)
D = dt.date


@given(since=DAYS, length=st.integers(1, 2000), months=LENGTHS)
def test_periods_tile_the_term_without_gap_or_overlap(since: D, length: int, months: int) -> None:
    until = since + dt.timedelta(days=length)
    found = list(periods_of(since, until, months))
    assert (found[0][0], found[-1][1]) == (since, until)
    assert all(start < end for start, end in found)
    assert all(before[1] == after[0] for before, after in pairwise(found))


@given(since=DAYS, length=st.integers(1, 2000), months=LENGTHS)
def test_only_the_last_period_is_cut_at_the_end_of_the_term(since: D, length: int, months: int) -> None:
    until = since + dt.timedelta(days=length)
    *whole, (_start, end) = periods_of(since, until, months)
    endless = list(islice(periods_of(since, None, months), len(whole) + 1))
    assert endless[:-1] == whole
    assert end == min(until, endless[-1][1])


@given(since=DAYS, months=LENGTHS, number=st.integers(0, 200))
def test_every_boundary_is_counted_from_the_first_day(since: D, months: int, number: int) -> None:
    """A short month does not shift what follows: it lies on the first day's number, or on the month's last day."""
    start = months_after(since, months * number)
    assert (start.year * 12 + start.month) - (since.year * 12 + since.month) == months * number
    assert start.day == since.day or (start.day < since.day and (start + dt.timedelta(days=1)).day == 1)


@given(since=DAYS, length=st.integers(1, 2000), months=LENGTHS, day=st.integers(0, 1999))
def test_what_is_reported_on_is_what_is_billed(since: D, length: int, months: int, day: int) -> None:
    """Of one length, the period to report on and the period to bill are the same days."""
    until, asked = since + dt.timedelta(days=length), since + dt.timedelta(days=day % length)
    [within] = [period for period in periods_of(since, until, months) if period[0] <= asked < period[1]]
    assert within == period_of(asked, since=since, until=until, months=months)


def test_a_term_that_begins_on_the_31st_keeps_to_the_ends_of_months() -> None:
    boundaries = [start.isoformat() for start, _end in islice(periods_of(D(2027, 12, 31), None, 1), 5)]
    assert boundaries == ["2027-12-31", "2028-01-31", "2028-02-29", "2028-03-31", "2028-04-30"]


def test_a_report_is_due_so_many_days_after_the_last_day_of_its_period() -> None:
    assert due_day(D(2026, 4, 1), 30) == D(2026, 4, 30)
    assert due_day(D(2026, 4, 1), 0) == D(2026, 3, 31)


@pytest.mark.parametrize(
    ("days", "reminder"),
    [(-15, None), (-14, -14), (-4, -14), (-3, -3), (0, -3), (1, 1), (14, 1), (15, 15), (28, 15), (29, 29), (100, 99)],
)
def test_reminders_come_14_and_3_days_before_then_the_day_after_then_every_14_days(
    days: int, reminder: int | None
) -> None:
    due = D(2026, 4, 30)
    assert stage(due, due + dt.timedelta(days=days)) == reminder


@dataclass(frozen=True)
class Duty:
    first_day: dt.date
    end: dt.date
    due_on: dt.date


@given(since=DAYS, months=st.sampled_from((1, 3, 6, 12)))
def test_a_year_shows_each_month_with_its_periods_and_each_due_day_once(since: D, months: int) -> None:
    duties = [Duty(a, b, due_day(b, 30)) for a, b in islice(periods_of(since, None, months), 30)]
    year = since.year + 1
    shown = months_of(year, duties)
    assert [month.first_day for month in shown] == [D(year, n, 1) for n in range(1, 13)]
    assert all(month.used for month in shown), "every month of a running term is reported in some period"
    due = [duty for month in shown for duty in month.due]
    assert sorted(due, key=lambda duty: duty.due_on) == [duty for duty in duties if duty.due_on.year == year]


@given(title=st.text(max_size=200), text=st.text(max_size=400))
def test_a_calendar_file_has_whole_short_lines_whatever_its_words(title: str, text: str) -> None:
    file = icalendar(
        [Entry("1@x", D(2026, 4, 30), title, text)], name="신고", now=dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    )
    *lines, rest = file.encode().split(b"\r\n")
    assert rest == b""
    assert all(len(line) <= 75 for line in lines)
    assert [line for line in lines if line.startswith((b"BEGIN", b"END"))] == [
        b"BEGIN:VCALENDAR", b"BEGIN:VEVENT", b"BEGIN:VALARM", b"END:VALARM", b"END:VEVENT", b"END:VCALENDAR",
    ]  # fmt: skip
    unfolded = file.replace("\r\n ", "")
    assert "DTSTART;VALUE=DATE:20260430\r\nDTEND;VALUE=DATE:20260501\r\n" in unfolded
    assert all("\n" not in line and "\r" not in line for line in file.split("\r\n"))


def test_duties_are_made_far_enough_ahead_to_show_a_year() -> None:
    assert calendar.AHEAD_MONTHS >= 12
