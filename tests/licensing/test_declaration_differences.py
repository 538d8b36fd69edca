"""An amendment yields the exact difference to what it supersedes, and the sums hold before and after."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.identity.core import SYSTEM
from licensing.declarations import services
from licensing.declarations.models import Change, Declaration, DeclaredUse, Difference, UseSum
from licensing.declarations.services import differing
from licensing.repertoire.models import Identifier, Work
from licensing.terms import LINE_STATUSES
from tests.accounts.people import person
from tests.licensing.declaring import ISBN, Firm, declare, firm, lines
from tests.licensing.test_tariff_pages import signed_in, text

pytestmark = pytest.mark.django_db
FIRST = lines(
    f"isbn,{ISBN},1000", "domain,a.example.com,5", "domain,news.example.co.kr,7", "proprietary,U-1,3", "isbn,1,9"
)


@pytest.fixture
def of(db: Any) -> Firm:
    return firm()


def amended(old: Declaration, data: bytes, *, submit: bool = False) -> Declaration:
    draft = services.amend(actor=SYSTEM, declaration=old)
    services.attach(actor=SYSTEM, declaration=draft, stream=io.BytesIO(data), name="corrected.csv")
    made = services.process(draft.pk)
    assert made is not None, Declaration.objects.get(pk=draft.pk).problems
    return services.submit(actor=SYSTEM, declaration=made) if submit else made


def changes(of: Declaration) -> set[tuple[Any, ...]]:
    rows = Change.objects.filter(declaration=of).select_related("work")
    return {
        (c.change, c.work.ref if c.work else f"{c.scheme}:{c.value}", c.status, int(c.units_before), int(c.units_after))
        for c in rows
    }


def test_the_difference_names_every_row_that_is_added_removed_or_changed_and_no_other(of: Firm) -> None:
    old = declare(of, FIRST, submit=True)
    new = amended(old, lines(f"isbn,{ISBN},1000", "domain,b.example.com,6", "domain,news.example.co.kr,70", "isbn,1,9"))
    assert changes(new) == {
        ("removed", "domain:a.example.com", "unmatched", 5, 0),
        ("added", "domain:b.example.com", "unmatched", 0, 6),
        ("changed", "N", "licensed", 7, 70),
        ("removed", "U", "unmandated", 3, 0),
    }
    known = differing.difference_of(new)
    assert known is not None
    assert (known.works_added, known.works_removed, known.works_changed, known.rows) == (1, 2, 1, 4)
    assert Declaration.objects.get(pk=old.pk).status == "accepted"  # nothing is superseded yet: it is seen before


def test_the_largest_change_comes_first(of: Firm) -> None:
    new = amended(declare(of, FIRST, submit=True), lines(f"isbn,{ISBN},1", "domain,news.example.co.kr,107"))
    found = Change.objects.filter(declaration=new).order_by("-id")
    apart = [abs(c.units_after - c.units_before) for c in found]
    assert apart == sorted(apart, reverse=True) and apart[0] == 999


def test_a_work_that_was_registered_since_leaves_its_identifier(of: Firm) -> None:
    """The same file again, after the site joined the register: the identifier goes, the work comes."""
    old = declare(of, FIRST, submit=True)
    work = Work.objects.create(society=of.society, ref="A", kind="web", title="A")
    Identifier.objects.create(society=of.society, work=work, scheme="domain", value="a.example.com")
    new = amended(old, FIRST)
    assert changes(new) == {
        ("removed", "domain:a.example.com", "unmatched", 5, 0),
        ("added", "A", "unmandated", 0, 5),
    }


def test_what_is_processed_anew_has_its_difference_anew(of: Firm) -> None:
    old = declare(of, FIRST, submit=True)
    new = amended(old, lines("domain,b.example.com,6"))
    services.attach(actor=SYSTEM, declaration=new, stream=io.BytesIO(FIRST), name="more.csv")
    services.process(new.pk)
    assert changes(new) == {("added", "domain:b.example.com", "unmatched", 0, 6)}
    assert Difference.objects.filter(declaration=new).count() == 1


def test_a_declaration_that_amends_nothing_has_no_difference(of: Firm) -> None:
    assert differing.difference_of(declare(of, FIRST)) is None


def sums_hold(declaration: Declaration) -> None:
    """Everything declared = the sum over statuses: in the declaration, its rows, and the sums that pages read."""
    for told, column in ((declaration.lines, "lines"), (declaration.units, "units")):
        assert told["total"] == sum(told[status] for status in LINE_STATUSES)
        for source in (DeclaredUse, UseSum):
            kept: dict[str, int] = {}
            for status, value in source.objects.filter(declaration=declaration).values_list("status", column):
                kept[status] = kept.get(status, 0) + int(value)
            assert kept == {s: n for s, n in told.items() if n and s not in ("total", "rejected")}


LINE = st.tuples(
    st.sampled_from(
        [
            f"isbn,{ISBN}",
            "domain,a.example.com",
            "domain,news.example.co.kr",
            "proprietary,U-1",
            "isbn,1",
            "proprietary,F-1",
        ]
    ),
    st.integers(1, 10**12),
)


@given(st.lists(LINE, min_size=1, max_size=8), st.lists(LINE, min_size=1, max_size=8))
@settings(max_examples=3)
def test_sums_hold_before_and_after_and_differ_by_the_changes(before: list[Any], after: list[Any]) -> None:
    """Per declaration and overall: what counts after is what counted before, plus the changes, whatever the lines."""
    with transaction.atomic():
        of = firm()
        old = declare(of, lines(*(f"{name},{units}" for name, units in before)), submit=True)
        new = amended(old, lines(*(f"{name},{units}" for name, units in after)), submit=True)
        sums_hold(old)
        sums_hold(new)
        known = differing.difference_of(new)
        assert known is not None
        for standing in differing.standings(known):
            if standing.status not in ("total", "rejected"):
                rows = Change.objects.filter(declaration=new, status=standing.status)
                assert standing.units == sum(int(c.units_after - c.units_before) for c in rows)
                assert standing.lines == sum(c.lines_after - c.lines_before for c in rows)
        transaction.set_rollback(True)


def test_an_amendment_of_an_amendment_takes_the_place_of_the_whole_line(of: Firm) -> None:
    """The first one stays accepted while the second waits; it must not be billed beside the third."""
    first = declare(of, FIRST, submit=True)
    second = amended(first, lines("proprietary,U-1,3"), submit=True)
    assert second.status == "submitted"  # nothing to price: it waits for the society
    third = amended(second, lines(f"isbn,{ISBN},10"), submit=True)
    assert third.status == "accepted"
    assert dict(Declaration.objects.values_list("pk", "status")) == {
        first.pk: "superseded", second.pk: "superseded", third.pk: "accepted",
    }  # fmt: skip
    assert list(Declaration.objects.billable().values_list("pk", flat=True)) == [third.pk]


def test_the_page_the_file_and_the_program_say_the_same(of: Firm) -> None:
    old = declare(of, FIRST, submit=True)
    new = amended(old, lines(f"isbn,{ISBN},500", "domain,b.example.com,6"))
    client = signed_in(person(of.licensee, "declarant"))
    shown = text(client.get(f"/declarations/{new.pk}/difference/"))
    for expected in ("domain:b.example.com", "Works added", "Change of the fee", "₩10"):
        assert expected in shown, expected
    assert "Works added: 1, removed: 3, changed: 1." in text(client.get(f"/declarations/{new.pk}/"))
    only = text(client.get(f"/declarations/{new.pk}/difference/?change=added"))
    assert "domain:b.example.com" in only and "domain:a.example.com" not in only
    file = b"".join(client.get(f"/declarations/{new.pk}/difference/file/").streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(file)))
    assert {(r["change"], r["work"] or f"{r['scheme']}:{r['value']}", int(r["units_after"])) for r in rows} == {
        (change, name, after) for change, name, _status, _before, after in changes(new)
    }
    assert "It amends nothing" in text(client.get(f"/declarations/{old.pk}/difference/"))
