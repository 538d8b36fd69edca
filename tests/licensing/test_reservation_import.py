"""The reservations file: many opt-outs at once, each row what the form would make, the same file twice nothing new."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import F
from django.utils import timezone

from accounts.evidence.models import Event
from accounts.identity.core import Actor, Forbidden, NotFound
from accounts.organisations.models import Organisation
from licensing.permissions.models import Reservation, Site
from licensing.repertoire.models import Holder, Identifier, Share, Work
from tests.licensing.parties import organisation, staff
from tests.licensing.repertoire_files import bring, counts, refused

pytestmark = pytest.mark.django_db
ISBN = "9780306406157"


@pytest.fixture
def society() -> Organisation:
    return organisation("KOLAA", "society")


@pytest.fixture
def holder(society: Organisation) -> Holder:
    """Kim, who has the work W-1 with an ISBN; W-2 is another's."""
    kim, lee = (Holder.objects.create(society=society, ref=ref, name=ref) for ref in ("KIM", "LEE"))
    for ref, owner in (("W-1", kim), ("W-2", lee)):
        work = Work.objects.create(society=society, ref=ref, kind="book", title=ref)
        Share.objects.create(work=work, holder=owner, ppm=1_000_000, valid=("2020-01-01", None))
        if owner is kim:
            Identifier.objects.create(society=society, work=work, scheme="isbn", value=ISBN)
    return kim


def member(holder: Holder) -> Actor:
    allowed = frozenset({"reservations.make"})
    return Actor(
        kind="user", id=9, label="Kim", user_id=None, permissions=allowed, holder_ids=frozenset({holder.pk})
    )  # fmt: skip


def test_each_row_reserves_a_work_an_identifier_a_place_or_all_works_of_the_holder(
    society: Organisation, holder: Holder
) -> None:
    before = timezone.now()
    rows = (
        "W-1,train;ground,KR,",
        "isbn:0-306-40615-2,*,,",
        "https://Example.com/books/,train,,",
        "example.com/*.pdf$,train,,",
        "domain:정산.kr,train,KR;JP,",
        "*,index,,",
    )
    result = bring(society, "reservations", *rows, holder=holder)
    assert counts(result) == (6, 6, 0, 0, 0)
    made = Reservation.objects.order_by("id")
    assert [(r.target, r.work and r.work.ref, r.place, r.pattern, r.scheme, r.value) for r in made] == [
        ("work", "W-1", "", "", "", ""),
        ("identifier", None, "", "", "isbn", ISBN),
        ("place", None, "example.com/books", "", "", ""),
        ("place", None, "example.com", "/*.pdf$", "", ""),
        ("place", None, "xn--zf4b78k.kr", "", "", ""),
        ("holder", None, "", "", "", ""),
    ]
    assert [(r.uses, r.territory) for r in made[:2]] == [(["ground", "train"], ["KR"]), (["*"], ["*"])]
    assert all(r.claimant_holder == holder and r.source == "file" and r.status == "effective" for r in made)
    assert (
        made.filter(received_at__gte=before, received_at__lte=timezone.now(), effective_from=F("received_at")).count()
        == 6
    )
    assert all(re.fullmatch(r"R-([A-Z2-7]{4}-){2}[A-Z2-7]{4}", r.ref) for r in made)
    assert len({r.ref for r in made}) == 6
    assert Event.objects.get(verb="reservations.imported").data["created"] == 6


def test_the_same_file_twice_changes_nothing_however_it_is_written(society: Organisation, holder: Holder) -> None:
    tomorrow = timezone.localdate() + dt.timedelta(1)
    first = bring(society, "reservations", "example.com,train;ground,,", f"W-1,*,,{tomorrow}")
    assert counts(first) == (2, 2, 0, 0, 0)
    rows = (
        f"W-1,*,,{tomorrow}",
        "Example.com/,ground;train,*,",
        "domain:example.com,train;ground,,",
        "example.com,*,,",
    )
    assert counts(bring(society, "reservations", *rows)) == (4, 1, 0, 3, 0)
    other = bring(society, "reservations", "example.com,train;ground,,", holder=holder)
    assert counts(other) == (1, 1, 0, 0, 0)  # by somebody else


def test_bad_rows_are_reported_with_their_numbers_and_lose_no_good_row(society: Organisation, holder: Holder) -> None:
    yesterday = timezone.localdate() - dt.timedelta(1)
    result = bring(
        society, "reservations",
        "W-1,train,,", "W-9,train,,", "isbn:123,train,,", "co.kr,train,,", "example.com,dance,,", "example.com,train,XX,",
        f"example.org,train,,{yesterday}", "*,train,,", ",train,,", "example.net,train,,31/12/2026",
    )  # fmt: skip
    assert counts(result) == (10, 1, 0, 0, 9)
    reasons = {row: (column, reason.split(":")[0]) for row, column, reason in refused(result)}
    assert reasons == {
        3: ("target", "write a work’s reference, an identifier as isbn"),
        4: ("target", "not in the form of its scheme"),
        5: ("target", "a public suffix, under which many have their domains"),
        6: ("uses", "write uses as train;ground or *"),
        7: ("territory", "write territories as KR;JP or *"),
        8: ("from", "a reservation never counts backwards"),
        9: ("target", "* means all works of a holder"),
        10: ("target", "a value is missing"),
        11: ("from", "write dates as 2026-01-31"),
    }


def test_a_later_day_counts_from_its_first_instant(society: Organisation) -> None:
    day = timezone.localdate() + dt.timedelta(40)
    bring(society, "reservations", f"example.com,train,,{day}", f"example.org,train,,{timezone.localdate()}")
    later, now = Reservation.objects.order_by("id")
    assert timezone.localtime(later.effective_from) == timezone.make_aware(dt.datetime.combine(day, dt.time()))
    assert now.effective_from == now.received_at


def test_a_member_reserves_their_own_works_at_once_and_other_things_once_checked(
    society: Organisation, holder: Holder
) -> None:
    Site.objects.create(society=society, holder=holder, host="kim.example.com", token="x", proved_at=timezone.now())
    rows = ("W-1,train,,", f"isbn:{ISBN},train,,", "*,train,,", "www.kim.example.com/a,train,,", "example.com,train,,",
            "W-2,train,,")  # fmt: skip
    result = bring(society, "reservations", *rows, actor=member(holder), holder=holder)
    assert refused(result) == [(7, "target", "you have no share of this work")]
    made = Reservation.objects.order_by("id")
    assert [r.status for r in made] == ["effective"] * 4 + ["received"]
    assert [bool(r.due_on) for r in made] == [False] * 4 + [True]


def test_nobody_reserves_for_others(society: Organisation, holder: Holder) -> None:
    other = Holder.objects.get(ref="LEE")
    with pytest.raises(Forbidden):
        bring(society, "reservations", "W-2,train,,", actor=member(holder), holder=other)
    with pytest.raises(Forbidden):
        bring(society, "reservations", "W-1,train,,", actor=member(holder))
    with pytest.raises(Forbidden):
        bring(society, "reservations", "W-1,train,,", actor=staff(society))
    stranger = staff(organisation("OTHER", "society"), "reservations.manage")
    with pytest.raises(NotFound):
        bring(society, "reservations", "W-1,train,,", actor=stranger)
    assert not Reservation.objects.exists()


def test_the_command_prints_the_counts(society: Organisation, holder: Holder, tmp_path: Path) -> None:
    file = tmp_path / "optouts.csv"
    file.write_text("target,uses\nW-1,*\nnothing here,*\n", encoding="utf-8")

    def run(**options: Any) -> Any:
        out = io.StringIO()
        call_command("import_reservations", str(file), society="KOLAA", as_json=True, stdout=out, **options)
        return json.loads(out.getvalue())

    said = run(holder="KIM")
    assert (said["read"], said["created"], said["rejected"], said["rejects"][0]["row"]) == (2, 1, 1, 3)
    assert run(holder="KIM")["unchanged"] == 1
    with pytest.raises(SystemExit):
        run(holder="NOBODY")


def test_a_row_for_now_is_not_put_off_with_one_that_begins_later(society: Organisation, holder: Holder) -> None:
    later = timezone.localdate() + dt.timedelta(90)
    bring(society, "reservations", f"W-1,train,,{later}", holder=holder)
    bring(society, "reservations", "W-1,train,,", holder=holder)
    bring(society, "reservations", f"*,train,,{later}", holder=holder)
    bring(society, "reservations", "*,train,,", holder=holder)
    for target in ("work", "holder"):
        assert Reservation.objects.filter(target=target).counting(timezone.now()).count() == 1
    assert counts(bring(society, "reservations", "W-1,train,,", "*,train,,", holder=holder))[1] == 0


def test_works_that_a_member_sold_are_checked_like_anyones(society: Organisation, holder: Holder) -> None:
    Share.objects.filter(holder=holder).update(valid=("2020-01-01", "2022-01-01"))
    kept = bring(society, "reservations", "W-1,train,,", f"isbn:{ISBN},train,,", holder=holder, actor=member(holder))
    assert counts(kept) == (2, 2, 0, 0, 0)
    assert set(Reservation.objects.values_list("status", flat=True)) == {"received"}
