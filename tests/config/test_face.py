"""The face: what a reader sees of money, periods and states, and what charts and lists do with odd input."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from accounts.access.paging import ordering, paginate
from accounts.identity.core import NOBODY, Actor
from config import charts, formats, pages
from config.context import audience, portal
from config.statuses import STATUSES, label_of, tone_of

D = datetime.date


def test_what_answers_an_upload_takes_the_place_of_the_page() -> None:
    """Put inside it, each answer would nest one more main region with the same id."""
    told = [path for path in settings.BASE_DIR.glob("*/templates/**/*.html") if 'hx-select="#main"' in path.read_text()]
    assert len(told) >= 5
    for path in told:
        for tag in re.findall(r'<form[^>]*hx-select="#main".*', path.read_text()):
            assert 'hx-swap="outerHTML"' in tag, path.name


def shown(source: str, **context: object) -> str:
    return Template("{% load i18n jeongsan %}" + source).render(Context(context)).strip()


def get(path: str = "/", **attributes: object) -> object:
    request = RequestFactory().get(path)
    request.actor = NOBODY
    for name, value in attributes.items():
        setattr(request, name, value)
    return request


@pytest.mark.parametrize(
    ("amount", "currency", "language", "expected"),
    [
        (1234567, "KRW", "en", "₩1,234,567"),
        (1234567, "KRW", "ko", "₩1,234,567"),
        (-1193837, "KRW", "en", "-₩1,193,837"),
        (123456, "USD", "en", "US$1,234.56"),
        (5, "USD", "en", "US$0.05"),
        (0, "KRW", "en", "₩0"),
        (Decimal("428586.00725"), "KRW", "en", "₩428,586.00725"),
        (9007199254740993, "KRW", "en", "₩9,007,199,254,740,993"),  # past what a float holds
        (None, "KRW", "en", "–"),
    ],
)
def test_money_is_minor_units_written_in_the_language(amount, currency, language, expected):
    with override(language):
        assert formats.money(amount, currency) == expected


@given(st.integers(1, 1_000_000))
def test_a_share_in_ppm_shows_every_digit(ppm):
    assert Decimal(formats.ppm(ppm).rstrip("%")) * 10_000 == ppm


def test_a_rate_keeps_its_digits():
    assert [formats.percent(rate) for rate in ("15", "3.5", "0.0125")] == ["15%", "3.5%", "0.0125%"]
    assert formats.number(Decimal("108586.00725")) == "108,586.00725"


@pytest.mark.parametrize(
    ("start", "end", "english", "korean"),
    [
        (D(2026, 1, 1), D(2026, 4, 1), "1 Jan – 31 Mar 2026", "2026. 1. 1. – 2026. 3. 31."),
        (D(2025, 10, 1), D(2026, 4, 1), "1 Oct 2025 – 31 Mar 2026", "2025. 10. 1. – 2026. 3. 31."),
        (D(2026, 2, 28), D(2026, 3, 1), "28 Feb 2026", "2026. 2. 28."),
        (D(2026, 1, 1), None, "from 1 Jan 2026", None),
        (None, D(2026, 1, 1), "until 31 Dec 2025", None),
        (D(2026, 1, 1), D(2026, 1, 1), "–", "–"),
    ],
)
def test_a_half_open_period_shows_its_last_day(start, end, english, korean):
    assert formats.period(start, end) == formats.period((start, end)) == english
    assert formats.period(SimpleNamespace(lower=start, upper=end, isempty=False)) == english
    if korean:
        with override("ko"):
            assert formats.period(start, end) == korean


def test_a_moment_is_told_in_seoul():
    assert formats.instant(datetime.datetime(2026, 12, 31, 15, 30, tzinfo=datetime.UTC)) == "1 Jan 2027 00:30"


def test_every_status_has_a_tone_that_the_stylesheet_knows():
    assert {tone for tone, _label in STATUSES.values()} <= {"quiet", "info", "good", "warn", "bad"}
    assert (tone_of("never_heard_of"), label_of("never_heard_of")) == ("quiet", "never heard of")


def test_a_badge_prefers_the_models_own_name_and_escapes_it():
    assert (
        shown('{% badge "held" label %}', label="<b>kept</b>")
        == '<span class="badge tone-warn">&lt;b&gt;kept&lt;/b&gt;</span>'
    )


def test_steps_mark_what_is_done_current_failed_and_to_do():
    choices = [("draft", "draft"), ("computed", "computed"), ("published", "published")]
    running, stopped, over = (
        shown("{% steps c s failed=f %}", c=choices, s=s, f=f)
        for s, f in (("computed", False), ("computed", True), ("published", False))
    )
    assert [running.count(f"is-{state}") for state in ("done", "current", "todo")] == [1, 1, 1]
    assert 'class="is-failed" aria-current="step"' in stopped
    assert over.count("is-done") == 3


def test_a_table_escapes_its_rows_once():
    html = shown(
        '{% table label "stack compact" %}<tbody><tr><td>{{ t }}</td></tr></tbody>{% endtable %}',
        t="<i>&",
        label="Works & more",
    )
    assert 'class="table-wrap table-stack" role="region" aria-label="Works &amp; more"' in html
    assert "<td>&lt;i&gt;&amp;</td>" in html
    assert 'class="table table-compact"' in html


def test_a_sorting_heading_turns_round_keeps_the_filter_and_forgets_the_page():
    html = shown('{% sort_th "amount" "Amount" True %}', request=RequestFactory().get("/?q=a%26b&sort=amount&page=3"))
    assert html == (
        '<th scope="col" class="n" aria-sort="ascending"><a href="?q=a%26b&amp;sort=-amount">Amount'
        '<span class="sort-mark" aria-hidden="true">▲</span></a></th>'
    )


def test_an_explanation_ends_in_its_result():
    html = shown(
        '{% include "components/explanation.html" with steps=steps %}',
        steps=[{"label": "a", "value": "1"}, {"label": "b", "value": "2"}],
    )
    assert html.index("is-total") > html.index(">1<")


def test_bars_carry_their_numbers_as_a_table_and_escape_names():
    html = shown('{% chart_bars rows "By licensee" "KRW" %}', rows=[("<Hanbit>", 428586, "/l/1/"), ("Mirae", 0)])
    assert "<Hanbit>" not in html
    assert html.count("₩428,586") == 3  # the label for readers aloud, the picture and the table
    assert 'width="100.000%"' in html
    assert 'href="/l/1/"' in html


def test_a_chart_without_numbers_says_so():
    assert "<svg" not in shown('{% chart_stacked rows "By use" "KRW" %}', rows=[])


def test_a_picture_is_drawn_once_for_the_same_data(monkeypatch):
    drawn = []
    monkeypatch.setattr(charts, "_draw", lambda *what: drawn.append(what) or '<svg class="marks"></svg>')
    charts.cache.clear()
    for _again in range(3):
        charts.line([("2026-01", 5), ("2026-02", 7)], title="One")
    assert len(drawn) == len(charts._SIZES)
    charts.line([("2026-01", 5), ("2026-02", 8)], title="One")
    assert len(drawn) == 2 * len(charts._SIZES)
    charts.cache.clear()


def test_columns_follow_the_theme_and_sum_in_the_table():
    charts.cache.clear()
    chart = charts.stacked(
        [("Q1", "train", 100), ("Q1", "ground", 50), ("Q2", "train", 7)], title="By use", currency="KRW"
    )
    assert list(chart.rows) == [["Q1", "₩100", "₩50", "₩150"], ["Q2", "₩7", "₩0", "₩7"]]
    assert "var(--chart-2)" in chart.svg
    assert 'aria-label="By use. Q1: ₩150, Q2: ₩7"' in chart.svg


@given(st.integers(0, 10**18))
def test_ticks_are_few_and_reach_the_top(top):
    ticks = charts._ticks(top)
    assert ticks[0] == 0
    assert ticks[-1] >= top
    assert 2 <= len(ticks) <= 6


@given(st.text(max_size=80))
def test_a_long_name_is_cut_to_what_a_phone_shows(text):
    assert charts.shortened(text) in (text, charts.shortened(text)[:-1] + "…")


def test_paging_without_a_count_knows_whether_there_is_more():
    rows = list(range(101))
    last = paginate(get("/?page=3"), rows, counted=False)
    assert (list(last), last.has_next(), last.has_previous(), last.start_index(), last.end_index()) == (
        [100],
        False,
        True,
        101,
        101,
    )
    assert paginate(get("/?page=2"), rows, counted=False).has_next()
    assert paginate(get("/?page=-1"), rows, counted=False).number == 1
    assert paginate(get("/?page=99"), rows).number == 3
    html = render_to_string("components/pagination.html", {"page": last}, get("/?q=x&page=3", user=AnonymousUser()))
    assert "101–101" in html
    assert 'href="?q=x&amp;page=2"' in html


def test_only_named_columns_can_order_a_list():
    allowed = {"amount": "total_amount"}
    assert ordering(get("/?sort=-amount"), allowed, default="id") == "-total_amount"
    assert ordering(get("/?sort=secret_hash"), allowed, default="id") == "id"


@pytest.mark.parametrize(
    ("next_page", "target"),
    [("/tariffs/", "/tariffs/"), ("https://elsewhere.example/", "/"), ("//elsewhere.example", "/")],
)
def test_the_theme_is_kept_in_a_cookie_and_never_leads_away(next_page, target):
    response = pages.theme(RequestFactory().post("/theme/", {"theme": "dark", "next": next_page}))
    assert (response.url, response.cookies["theme"].value) == (target, "dark")
    assert pages.theme(RequestFactory().post("/theme/", {"theme": "<x>"})).cookies["theme"].value == ""


def test_each_audience_has_its_portal_and_strangers_have_none():
    society = Actor(kind="user", id=1, label="s", organisation_id=1, organisation_kind="society")
    creator = Actor(kind="user", id=2, label="c", holder_ids=frozenset({7}))
    assert [audience(actor) for actor in (society, creator, NOBODY)] == ["society", "creator", ""]
    assert portal(get())["portal"]["nav"] == []


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("page", ["400.html", "403.html", "403_csrf.html", "404.html", "500.html", "home.html"])
def test_house_pages_stand_without_a_signed_in_person(page, language):
    with override(language):
        request = get(user=AnonymousUser())
        html = render_to_string(page, {}, None if page == "500.html" else request)
    assert f'<html lang="{language}"' in html
    assert html.count("<h1") == 1
