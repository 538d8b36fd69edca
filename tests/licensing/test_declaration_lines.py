"""What becomes of each line: the rules of matching and permission on real files, to the unit."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from licensing.declarations import core, grouping
from licensing.declarations.models import DeclaredUse
from licensing.permissions.models import DirectLicence
from licensing.repertoire.models import Holder
from tests.licensing.declaring import ISBN, Firm, counts, declare, firm, lines, rejects, uses

pytestmark = pytest.mark.django_db


@pytest.fixture
def parties(db: Any) -> Firm:
    return firm()


def test_every_line_ends_as_exactly_one_status_and_the_sums_are_the_files(parties: Firm) -> None:
    made = declare(
        parties,
        lines(
            "domain,www.news.example.co.kr,100",
            "url,https://en.wikipedia.org/wiki/Korea#History,20",
            "url,https://en.wikipedia.org/wiki/Japan,30",
            "isbn,0-306-40615-2,7",
            "isbn,0-306-40615-3,8",
            "proprietary,F-1,9",
            "proprietary,U-1,10",
            "proprietary,S-1,11",
            "domain,unknown.example.com,12",
            "isbn,9780000000019,13",
            "domain,news.example.co.kr,1e3",
        ),
    )
    assert counts(made) == {"rejected": 2, "unmatched": 2, "unmandated": 2, "licensed": 5}
    assert made.units == {
        "total": 220, "rejected": 8, "reserved": 0, "unmatched": 25, "unmandated": 21, "unlicensed": 0, "licensed": 166,
    }  # fmt: skip
    assert made.works == 7 - 0
    assert uses(made) == [
        ("B", "licensed", "licence", 7, 1),
        ("F", "licensed", "free", 9, 1),
        ("N", "licensed", "licence", 100, 1),
        ("P", "licensed", "licence", 20, 1),
        ("S", "unmandated", "", 11, 1),
        ("U", "unmandated", "", 10, 1),
        ("W", "licensed", "licence", 30, 1),
        ("domain:unknown.example.com", "unmatched", "", 12, 1),
        ("isbn:9780000000019", "unmatched", "", 13, 1),
    ]
    missing = dict(DeclaredUse.objects.filter(status="unmandated").values_list("work__ref", "missing_ppm"))
    assert missing == {"U": 400_000, "S": 1_000_000}
    assert rejects(made) == [
        (6, "identifier", "0-306-40615-3", "wrong check digit"),
        (12, "units", "1e3", "not a whole number from 1 to 999999999999999 in digits"),
    ]


def test_lines_that_repeat_an_identifier_add_up_however_it_is_written(parties: Firm) -> None:
    made = declare(
        parties,
        lines("isbn,9780306406157,1", "ISBN,0306406152,2", "isbn, 978-0-306-40615-7,3", "isbn,9780306406157,4"),
    )
    assert uses(made) == [("B", "licensed", "licence", 10, 4)]


NO_UNITS = ("1e3", "1.6", "-5", "0", "000", "", " 5", "5 ", "1,000", "+5", "0x1F", "٣", "10000000000000000", "NaN", "1_000")  # fmt: skip


def test_units_are_digits_only_from_one_to_fifteen_nines(parties: Firm) -> None:
    bad = [f'isbn,{ISBN},"{units}"' for units in NO_UNITS]
    made = declare(parties, lines(*bad, f"isbn,{ISBN},999999999999999", f"isbn,{ISBN},007"))
    assert counts(made) == {"rejected": len(NO_UNITS), "licensed": 2}
    assert made.units["total"] == made.units["licensed"] == 999_999_999_999_999 + 7
    assert [(row, column, reason.split(" from")[0]) for row, column, _value, reason in rejects(made)] == [
        (row, "units", "not a whole number") for row, _units in enumerate(NO_UNITS, 2)
    ]


def test_sums_go_beyond_any_machine_number(parties: Firm) -> None:
    made = declare(parties, lines(*[f"isbn,{ISBN},999999999999999"] * 10_000))
    assert made.units["licensed"] == 9_999_999_999_999_990_000
    assert uses(made) == [("B", "licensed", "licence", 9_999_999_999_999_990_000, 10_000)]


def test_a_lines_own_use_and_unit_go_before_the_declarations(parties: Firm) -> None:
    data = lines(
        f"isbn,{ISBN},1,,",
        f"isbn,{ISBN},2,page,",
        f"isbn,{ISBN},3,,ground",
        f"isbn,{ISBN},4,Token,TRAIN",
        f"isbn,{ISBN},5,inch,",
        f"isbn,{ISBN},6,,steal",
        header="identifier_type,identifier,units,unit,use",
    )
    made = declare(parties, data)
    assert counts(made) == {"rejected": 2, "unlicensed": 1, "licensed": 3}
    found = DeclaredUse.objects.values_list("use", "unit", "units", "status").order_by("use", "unit")
    assert [(use, unit, int(units), status) for use, unit, units, status in found] == [
        ("ground", "token", 3, "unlicensed"),
        ("train", "page", 2, "licensed"),
        ("train", "token", 5, "licensed"),
    ]
    assert [(row, column, value) for row, column, value, _reason in rejects(made)] == [
        (6, "unit", "inch"),
        (7, "use", "steal"),
    ]


def test_a_line_without_use_or_unit_anywhere_is_rejected(parties: Firm) -> None:
    made = declare(parties, lines(f"isbn,{ISBN},1"), use="")
    assert rejects(made) == [(2, "use", "", "neither the line nor the declaration names a use")]
    made = declare(parties, lines(f"isbn,{ISBN},2"), unit="")
    assert rejects(made) == [(2, "unit", "", "neither the line nor the declaration names a unit")]


def test_the_day_of_use_governs_permission_and_must_lie_in_the_period(parties: Firm) -> None:
    days = [
        "2025-12-31",
        "2026-01-01",
        "2026-01-31",
        "2026-02-01",
        "2026-03-31",
        "2026-04-01",
        "31.3.2026",
        "2026-02-30",
        "",
    ]
    made = declare(
        parties,
        lines(
            *[f"proprietary,F-1,{i},{day}" for i, day in enumerate(days, 1)],
            header="identifier_type,identifier,units,used_on",
        ),
    )
    assert [(row, column, value) for row, column, value, _reason in rejects(made)] == [
        (2, "used_on", "2025-12-31"), (7, "used_on", "2026-04-01"), (8, "used_on", "31.3.2026"), (9, "used_on", "2026-02-30"),
    ]  # fmt: skip
    found = DeclaredUse.objects.order_by("used_on").values_list("used_on", "status", "basis", "units")
    assert [(day.isoformat(), status, basis, int(units)) for day, status, basis, units in found] == [
        ("2026-01-01", "unmandated", "", 2),
        ("2026-01-31", "unmandated", "", 3),
        ("2026-02-01", "licensed", "free", 4),
        ("2026-03-31", "licensed", "free", 5 + 9),
    ]


def test_a_line_with_a_title_only_is_unmatched_under_its_normalised_title(parties: Firm) -> None:
    data = lines(
        ",,5,The  Cat,Kim",
        ",,6,THE CAT,kim",
        ",,7,\u1112\u1161\u11ab글,",
        "isbn,,8,한글,",
        ",,9,,Kim",
        "title,x,1,,",
        header="identifier_type,identifier,units,title,creators",
    )
    made = declare(parties, data)
    assert uses(made) == [("title:cat / kim", "unmatched", "", 11, 2), ("title:한글", "unmatched", "", 15, 2)]
    assert [(row, column, reason) for row, column, _value, reason in rejects(made)] == [
        (6, "identifier", "neither an identifier nor a title"),
        (7, "identifier_type", "unknown type of identifier"),
    ]


def test_an_unmatched_line_has_the_kind_of_its_scheme_and_must_fit_the_licence() -> None:
    parties = firm(kinds=["web"])
    made = declare(parties, lines("domain,unknown.example.com,1", "isbn,9780000000019,2", "doi,10.1000/182,3"))
    assert uses(made) == [
        ("doi:10.1000/182", "unlicensed", "", 3, 1),
        ("domain:unknown.example.com", "unmatched", "", 1, 1),
        ("isbn:9780000000019", "unlicensed", "", 2, 1),
    ]
    assert dict(DeclaredUse.objects.values_list("scheme", "kind")) == {"doi": "other", "domain": "web", "isbn": "book"}


@pytest.mark.parametrize(
    ("terms", "options"),
    [
        ({"ai_models": ["dasan-7b"]}, {"model": "dasan-70b"}),
        ({"datasets": ["crawl-1"]}, {"dataset": "crawl-2"}),
        ({"territory": ["JP"]}, {}),
        ({"valid_to": dt.date(2026, 3, 31)}, {}),
        ({"uses": ["ground"]}, {}),
        ({}, {"use": "evaluate"}),
    ],
)
def test_what_the_licence_does_not_cover_is_unlicensed(terms: dict[str, Any], options: dict[str, Any]) -> None:
    parties = firm(**terms)
    made = declare(parties, lines(f"isbn,{ISBN},1", "domain,unknown.example.com,1"), **options)
    assert counts(made) == {"unlicensed": 2}
    assert [question["code"] for question in made.questions] == ["nothing_to_price"]


def test_a_lines_dataset_counts_where_the_licence_names_datasets() -> None:
    parties = firm(datasets=["crawl-1"])
    data = lines(
        f"isbn,{ISBN},1,crawl-1",
        f"isbn,{ISBN},2,crawl-2",
        f"isbn,{ISBN},4,",
        header="identifier_type,identifier,units,dataset",
    )
    assert uses(declare(parties, data, dataset="crawl-1")) == [
        ("B", "licensed", "licence", 5, 2),
        ("B", "unlicensed", "", 2, 1),
    ]


def test_direct_licences_of_all_holders_leave_nothing_to_price(parties: Firm) -> None:
    def give(ref: str) -> None:
        DirectLicence.objects.create(
            holder=Holder.objects.get(ref=ref), licensee=parties.licensee, uses=["train"], kinds=["*"],
            territory=["KR"], valid=DateRange(dt.date(2026, 1, 1), None),
        )  # fmt: skip

    give("H1")
    made = declare(parties, lines(f"isbn,{ISBN},1", "proprietary,U-1,2", "domain,wikipedia.org,3"))
    assert uses(made) == [
        ("B", "licensed", "individual", 1, 1),
        ("U", "unmandated", "", 2, 1),
        ("W", "licensed", "licence", 3, 1),
    ]
    give("H3")
    made = declare(parties, lines("proprietary,U-1,2"))
    assert uses(made) == [("U", "licensed", "individual", 2, 1)]
    assert DeclaredUse.objects.filter(declaration=made).priced().count() == 0


def test_every_reason_of_the_script_can_be_translated() -> None:
    script = Path(grouping.__file__).with_name("intake.sql").read_text(encoding="utf-8")
    said = set(re.findall(r"THEN '(?:identifier|identifier_type|units|unit|use|used_on): (.+?)'", script))
    of_several = Path(grouping.__file__).with_name("group.sql").read_text(encoding="utf-8")
    said |= set(re.findall(r"'identifiers: (.+?)'", of_several))
    assert said == set(core.REASONS) - {"the title is too long"}


def test_a_title_beyond_bounds_is_rejected(parties: Firm) -> None:
    made = declare(parties, lines(f",,5,{'x' * 2049}", header="identifier_type,identifier,units,title"))
    assert [(row, column, reason) for row, column, _value, reason in rejects(made)] == [
        (2, "title", "the title is too long")
    ]
