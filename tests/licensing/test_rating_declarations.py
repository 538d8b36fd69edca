"""Rating declarations: quantities gathered from declared uses, over all declarations of a period."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from accounts.identity.core import Refusal
from accounts.organisations.models import Organisation
from licensing.declarations.models import Declaration, DeclaredUse
from licensing.declarations.rating import bases, quantities, rate_declarations, works
from licensing.licences.models import Licence
from licensing.repertoire.models import Work
from licensing.tariffs.core import Quantity, parse
from tests.licensing.parties import declaration, determined, licence, organisation
from tests.licensing.tariff_documents import charge, tariff

pytestmark = pytest.mark.django_db
QUARTER = (datetime.date(2026, 1, 1), datetime.date(2026, 4, 1))


@pytest.fixture
def society() -> Organisation:
    return organisation("WEB-SOCIETY", "society")


@pytest.fixture
def parties(society: Organisation) -> tuple[Organisation, Organisation]:
    return society, organisation("HANBIT-AI", "licensee")


def under(parties: tuple[Organisation, Organisation], *charges: dict[str, Any], **keys: Any) -> Licence:
    return licence(*parties, determined(parties[0], tariff(*charges, **keys)))


def work(society: Organisation, ref: str, kind: str = "web") -> Work:
    return Work.objects.create(society=society, ref=ref, kind=kind, title=ref)


def used(of: Declaration, what: Work | str, units: int, **fields: Any) -> DeclaredUse:
    """A row as the declaration pipeline stores it: matched and licensed, or unmatched."""
    row = {"use": "train", "unit": "token", "used_on": datetime.date(2026, 3, 31), "lines": 1} | fields
    if isinstance(what, Work):
        row = {"work": what, "kind": what.kind, "status": "licensed", "basis": "licence"} | row
    else:
        row = {"scheme": "domain", "value": what, "kind": "web", "status": "unmatched"} | row
    return DeclaredUse.objects.create(declaration=of, units=units, **row)


def all_of(of: Licence) -> Any:
    return Declaration.objects.filter(licence=of)


def test_tiers_count_all_declarations_of_the_period_together(parties: Any, society: Organisation) -> None:
    """domain.md's 20,858,600,725 tokens, declared in two files."""
    ours = under(parties)
    a, b = work(society, "a"), work(society, "b")
    first, second = declaration(ours), declaration(ours)
    used(first, a, 9_000_000_000)
    used(second, a, 11_000_000_000)
    used(second, b, 858_600_000)
    used(second, "unknown.example", 725)
    rating = rate_declarations(licence=ours, period=QUARTER, declarations=all_of(ours))
    assert rating.amount == 428_586


def test_only_licensed_and_unmatched_lines_are_priced(parties: Any, society: Organisation) -> None:
    ours = under(parties)
    of = declaration(ours)
    used(of, work(society, "a"), 5)
    used(of, "unknown.example", 7)
    for n, (status, basis) in enumerate(
        [
            ("reserved", ""),
            ("unmandated", ""),
            ("unlicensed", ""),
            ("licensed", "free"),
            ("licensed", "individual"),
            ("licensed", "statutory"),
        ]
    ):
        used(of, work(society, f"w{n}"), 1000, status=status, basis=basis)
    assert quantities(all_of(ours)) == [Quantity("train", "web", "token", 12)]


def test_works_are_distinct_over_declarations_days_uses_and_units(parties: Any, society: Organisation) -> None:
    charges = [
        charge("per_work", "any", price="10"),
        charge("per_work", "grounding", price="10", uses=["ground"]),
        charge("per_work", "books", price="10", kinds=["book"], unit="token"),
        charge("flat", "fee", amount="1"),
    ]
    ours = under(parties, *charges)
    a, b, book = work(society, "a"), work(society, "b"), work(society, "book", "book")
    first, second = declaration(ours), declaration(ours)
    used(first, a, 5)
    used(first, a, 5, used_on=datetime.date(2026, 2, 1))
    used(first, a, 5, use="ground")
    used(first, a, 5, unit="page")
    used(second, a, 5)
    used(second, b, 5)
    used(second, book, 5, unit="page")
    used(first, "x.example", 5)
    used(second, "x.example", 5)
    used(second, "y.example", 5, use="ground")
    schedule = parse(tariff(*charges))
    assert works(all_of(ours), schedule.charges) == {"any": 5, "grounding": 2, "books": 0}
    rating = rate_declarations(licence=ours, period=QUARTER, declarations=all_of(ours))
    assert [(line.name, line.quantity, line.amount) for line in rating.lines] == [
        ("any", 5, 50),
        ("grounding", 2, 20),
        ("fee", None, 1),
    ]


def test_units_beyond_64_bits_stay_exact(parties: Any, society: Organisation) -> None:
    ours = under(parties, charge("per_unit", per=10**15, price="0.000001"))
    of = declaration(ours)
    for n in range(3):
        used(of, work(society, f"w{n}"), 10**30 + n)
    assert quantities(all_of(ours)) == [Quantity("train", "web", "token", 3 * 10**30 + 3)]
    assert rate_declarations(licence=ours, period=QUARTER, declarations=all_of(ours)).amount == 3 * 10**9


def test_bases_of_the_declarations_add_up(parties: Any) -> None:
    ours = under(parties, charge("percentage", base="revenue", percent="30"))
    declaration(ours, bases={"revenue": 400_000_000})
    declaration(ours, bases={"revenue": 12_345_679})
    assert bases(all_of(ours)) == {"revenue": 412_345_679}
    assert rate_declarations(licence=ours, period=QUARTER, declarations=all_of(ours)).amount == 123_703_704


def test_numbers_of_the_declarations_add_up_and_are_no_money(parties: Any) -> None:
    each = {"name": "versions", "model": "per_unit", "count": "model_versions", "per": 1, "price": "0.5"}
    ours = under(parties, each, currency="USD")
    declaration(ours, bases={"model_versions": 2})
    declaration(ours, bases={"model_versions": 1})
    rating = rate_declarations(licence=ours, period=QUARTER, declarations=all_of(ours))
    assert (rating.amount, rating.lines[0].quantity) == (150, 3)


def test_a_part_of_a_period_is_previewed_by_the_prices_it_began_under(parties: Any, society: Organisation) -> None:
    """Three years at one price: a version that starts within them prices none of their days, only later periods."""
    ours = under(parties, charge("per_work", price="5000"), currency="USD", period_months=36)
    determined(
        society,
        tariff(charge("per_work", price="9000"), version=2, valid_from="2027-01-01", currency="USD", period_months=36),
    )

    def preview(start: str, end: str) -> int:
        of = declaration(ours, start, end)
        used(of, "a.example", 5, used_on=of.period.lower)
        alone = Declaration.objects.filter(pk=of.pk)
        days = (of.period.lower, of.period.upper)
        return rate_declarations(licence=ours, period=days, declarations=alone, preview=True).amount

    assert preview("2026-01-01", "2026-04-01") == 500_000
    assert preview("2026-12-01", "2027-02-01") == 500_000
    assert preview("2028-10-01", "2029-01-01") == 500_000
    assert preview("2029-01-01", "2029-04-01") == 900_000


def test_a_missing_base_and_an_unpriced_line_are_listed_in_a_preview_and_refused_in_a_bill(
    parties: Any, society: Organisation
) -> None:
    ours = under(parties, charge("percentage", base="revenue", percent="30", uses=["ground"]))
    used(declaration(ours), work(society, "a"), 5)
    ask = {"licence": ours, "period": QUARTER, "declarations": all_of(ours)}
    preview = rate_declarations(**ask, preview=True)
    assert (preview.missing_bases, preview.unpriced) == (("revenue",), (Quantity("train", "web", "token", 5),))
    with pytest.raises(Refusal) as caught:
        rate_declarations(**ask)
    assert {error["code"] for error in caught.value.errors} == {"unpriced", "missing_base"}


def test_nothing_declared_owes_what_stands_each_period(parties: Any) -> None:
    ours = under(parties, charge("flat", amount="5"), charge("per_work", price="3"), minimum="100")
    rating = rate_declarations(licence=ours, period=QUARTER, declarations=Declaration.objects.none())
    assert (rating.amount, [line.name for line in rating.lines]) == (100, ["flat"])


def test_the_licence_narrows_what_is_owed_each_period(parties: Any, society: Organisation) -> None:
    version = determined(society, tariff(charge("flat", amount="5", uses=["ground"])))
    ours = licence(parties[0], parties[1], version, uses=["train"])
    assert rate_declarations(licence=ours, period=QUARTER, declarations=all_of(ours)).amount == 0


def test_a_period_under_two_versions_is_refused(parties: Any, society: Organisation) -> None:
    ours = under(parties)
    determined(society, tariff(version=2, valid_from="2026-03-01"))
    with pytest.raises(Refusal) as caught:
        rate_declarations(licence=ours, period=QUARTER, declarations=all_of(ours))
    assert caught.value.code == "tariff_changes_in_period"


def test_rating_takes_few_queries(parties: Any, society: Organisation, django_assert_max_num_queries: Any) -> None:
    ours = under(parties, charge("per_work", price="3"), charge("percentage", base="revenue", percent="1"))
    of = declaration(ours, bases={"revenue": 1})
    for n in range(20):
        used(of, work(society, f"w{n}"), 1)
    with django_assert_max_num_queries(8):
        rate_declarations(licence=ours, period=QUARTER, declarations=all_of(ours))
