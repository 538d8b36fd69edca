"""A line may name its work by several identifiers: they agree on one work, or the line is kept as a conflict."""

from __future__ import annotations

import csv
import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.identity.core import SYSTEM
from licensing.declarations.models import Declaration, DeclaredUse
from licensing.intake.services import path_of
from licensing.matching import services
from licensing.matching.core import SEVERAL, members, several
from licensing.permissions.models import Reservation
from licensing.repertoire.models import Identifier, Work
from tests.licensing.declaring import ISBN, Firm, declare, firm, lines

pytestmark = pytest.mark.django_db
HEADER = "identifier_type,identifier,units,identifiers"
OTHER = "9791186560433"


@pytest.fixture
def parties() -> Firm:
    return firm()


def used(made: Declaration) -> list[tuple[str, str, int, int]]:
    """(work, or what was said; status; units; lines), in order."""
    rows = DeclaredUse.objects.filter(declaration=made).select_related("work")
    return sorted(
        (use.work.ref if use.work else f"{use.scheme}:{use.value}", use.status, int(use.units), use.lines)
        for use in rows
    )


def rejects(made: Declaration) -> list[tuple[str, str, str]]:
    file = made.files.get()
    if file.rejects is None:
        return []
    with path_of(file.rejects).open(encoding="utf-8", newline="") as source:
        return [(row["row"], row["value"], row["reason"]) for row in csv.DictReader(source)]


def test_identifiers_that_agree_or_are_unknown_mean_one_work(parties: Firm) -> None:
    book = Identifier.objects.get(scheme="isbn", value=ISBN).work
    Identifier.objects.create(society=parties.society, work=book, scheme="doi", value="10.1000/182")
    made = declare(
        parties,
        lines(
            f"isbn,{ISBN},1,doi:10.1000/182",
            ",,2,doi:10.1000/182;isbn:0-306-40615-2; proprietary:unknown",
            "isbn,0306406152,4,",
            f"proprietary,unknown,8,isbn:{ISBN}",
            header=HEADER,
        ),
    )
    assert used(made) == [(book.ref, "licensed", 15, 4)]


def test_identifiers_of_different_works_are_a_conflict_that_is_kept(parties: Firm) -> None:
    one = Identifier.objects.get(scheme="isbn", value=ISBN).work
    other = Work.objects.create(society=parties.society, ref="OTHER", kind="book", title="Other")
    Identifier.objects.create(society=parties.society, work=other, scheme="isbn", value=OTHER)
    data = lines(f"isbn,{ISBN},3,isbn:{OTHER}", f"isbn,{OTHER},4,isbn:{ISBN}", header=HEADER)
    made = declare(parties, data)
    whole = several([("isbn", ISBN), ("isbn", OTHER)])
    assert used(made) == [(f"several:{whole}", "unmatched", 7, 2)]
    assert DeclaredUse.objects.get(declaration=made).kind == "book"
    services.decide(actor=SYSTEM, society=parties.society, scheme=SEVERAL, value=whole, work=one)
    again = declare(parties, data + b"\n")
    assert {ref for ref, *_ in used(again)} == {one.ref}


def test_one_bad_identifier_among_good_ones_is_forgiven_and_told(parties: Firm) -> None:
    book = Identifier.objects.get(scheme="isbn", value=ISBN).work
    made = declare(
        parties,
        lines(
            f"isbn,{ISBN},1,issn:not-one;what is this;unheard:of",
            f"isbn,123,2,isbn:{ISBN}",
            f"unheard,of,4,isbn:{ISBN}",
            header=HEADER,
        ),
    )
    assert used(made) == [(book.ref, "licensed", 7, 3)]
    assert (made.lines["total"], made.lines["rejected"]) == (3, 0)
    told = rejects(made)
    assert sorted((row, value) for row, value, _reason in told) == [
        ("2", "issn:not-one"), ("2", "unheard:of"), ("2", "what is this"), ("3", "123"), ("4", "of"),
    ]  # fmt: skip
    assert all(reason for *_, reason in told)


def test_a_line_whose_identifiers_are_all_bad_is_rejected_and_the_sums_hold(parties: Firm) -> None:
    made = declare(
        parties,
        lines("isbn,123,1,issn:456", ",,2,;", ",,4,what", f"isbn,{ISBN},8,", header=HEADER),
    )
    assert (made.lines["total"], made.lines["rejected"], made.units["total"]) == (4, 3, 15)
    assert sum(n for status, n in made.units.items() if status != "total") == made.units["total"]
    assert {row for row, *_ in rejects(made)} == {"2", "3", "4"}


@pytest.mark.parametrize(
    "target",
    [
        {"target": "identifier", "scheme": "doi", "value": "10.1000/x"},
        {"target": "place", "place": "news.example.org"},
        {"target": "place", "place": "news.example.org", "pattern": "/*/art"},
    ],
)
def test_what_is_reserved_under_one_of_several_identifiers_is_reserved(parties: Firm, target: dict[str, str]) -> None:
    received = dt.datetime(2025, 6, 1, tzinfo=dt.UTC)
    Reservation.objects.create(
        ref="R-1", society=parties.society, uses=["*"], territory=["*"], status="effective", received_at=received,
        effective_from=received, claimant_name="Seo", claimant_email="seo@poet.example", **target,
    )  # fmt: skip
    made = declare(
        parties,
        lines(",,1,proprietary:mine;doi:10.1000/x;url:https://news.example.org/a/art;isan:none", header=HEADER),
    )
    assert [status for _what, status, *_ in used(made)] == ["reserved"]
    other = declare(parties, lines(",,1,proprietary:mine;doi:10.1000/y;url:https://example.org/a/art", header=HEADER))
    assert [status for _what, status, *_ in used(other)] == ["unmatched"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(["isbn", "doi", "url"]), st.text("ab;%3B:/", min_size=1, max_size=6)), min_size=1
    )
)
def test_several_identifiers_are_one_value_whatever_their_order(identifiers: list[tuple[str, str]]) -> None:
    whole = several(identifiers)
    assert whole == several(reversed(identifiers)) == several(identifiers * 2)
    assert sorted(members(whole)) == sorted(set(identifiers))
