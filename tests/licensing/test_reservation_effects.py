"""What a reservation changes: checks from its very moment, declarations by their days of use, and nothing before it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from accounts.identity.core import SYSTEM
from licensing.declarations.models import DeclaredUse
from licensing.licences.services import create_licence
from licensing.permissions import services
from licensing.permissions.models import Reservation
from licensing.permissions.services import reservations
from licensing.permissions.services.asking import Item
from licensing.permissions.services.targets import Claimant, Target
from licensing.repertoire.models import Holder, Identifier, Work
from tests.licensing.declaring import ISBN, Firm, counts, declare, firm, lines, uses
from tests.licensing.parties import organisation, staff
from tests.licensing.permission_cases import encoded

pytestmark = pytest.mark.django_db
SEOUL = dt.timezone(dt.timedelta(hours=9))
RECEIVED = dt.datetime(2026, 3, 10, 12, tzinfo=SEOUL)
BODY = int("C3" * 32, 16)
CODE, NEAR_CODE, FAR_CODE = (encoded(BODY ^ flips, 256) for flips in (0, (1 << 39) - 1, (1 << 40) - 1))


@pytest.fixture
def parties(db: Any) -> Firm:
    return firm()


def work(of: Firm, ref: str) -> Work:
    return Work.objects.get(society=of.society, ref=ref)


def reserved(
    of: Firm, target: Target, *, since: dt.datetime = RECEIVED, until: dt.datetime | None = None, **more: Any
) -> None:
    """One that was received then; ended where `until` says."""
    status = "withdrawn" if until else "effective"
    fields = {"society": of.society, "uses": ["train"], "territory": ["*"], "title": target.title} | more
    Reservation.objects.create(
        ref=f"R-{Reservation.objects.count()}", target=target.kind, **target.columns, **fields, source="staff",
        status=status, received_at=since, effective_from=since, ended_at=until,
    )  # fmt: skip


def verdicts(of: Firm, *items: tuple[str, str], use: str = "train", on: Any = None, territory: str = "KR") -> list[str]:
    asked = [Item(scheme, value) for scheme, value in items]
    answers = services.check(actor=of.declarant, use=use, items=asked, on=on, territory=territory)
    return [answer.verdict for answer in getattr(answers, "answers", answers)]


EVERYTHING = [
    ("isbn", ISBN), ("proprietary", "B-1"), ("proprietary", "U-1"), ("proprietary", "F-1"),
    ("domain", "news.example.co.kr"), ("url", "www.news.example.co.kr/a/1.html"), ("url", "www.news.example.co.kr/b/1.html"),
    ("url", "en.wikipedia.org/wiki/Korea"), ("url", "en.wikipedia.org/wiki/Japan"), ("domain", "wikipedia.org"),
    ("domain", "unknown.example.com"), ("url", "unknown.example.com/press/x"), ("isbn", "9780000000019"),
    ("iscc", CODE), ("iscc", NEAR_CODE), ("iscc", FAR_CODE),
]  # fmt: skip


def reserve_something_of_every_kind(of: Firm) -> None:
    """In words: the holder Seo's works but in Japan only, pages of a site, a site but its press part, a book, a content."""
    reserved(of, Target.identifier("proprietary", "B-1"))
    reserved(of, Target.work(work(of, "F")))
    reserved(of, Target.place("www.news.example.co.kr/a", "/a/*.html$"))
    reserved(of, Target.of_holder(Holder.objects.get(society=of.society, ref="H2")), territory=["JP"])
    reserved(of, Target.place("en.wikipedia.org/wiki/Korea"))
    reserved(of, Target.place("example.com", "", ["/x"]))
    reserved(of, Target.place("unknown.example.com", "", ["/press/"]))
    reserved(of, Target.identifier("isbn", "9780000000019"), until=dt.datetime(2026, 3, 20, tzinfo=SEOUL))
    reserved(of, Target.identifier("iscc", CODE))


def test_a_check_answers_reserved_with_the_reservation_as_its_reason(parties: Firm) -> None:
    made = reservations.reserve(
        actor=SYSTEM, society=parties.society, target=Target.work(work(parties, "B")), uses=["train"],
        source="staff", claimant=Claimant(name="Han"),
    )  # fmt: skip
    answers = services.check(actor=parties.declarant, use="train", items=[Item("isbn", ISBN)])
    [answer] = getattr(answers, "answers", answers)
    assert answer.verdict == "reserved"
    assert answer.reasons[0].about == made.ref
    assert "this work" in answer.reasons[0].detail


def test_it_counts_from_its_moment_also_while_identity_is_checked_and_until_it_was_rejected(parties: Firm) -> None:
    before = timezone.now()
    made = reservations.reserve(
        actor=SYSTEM, society=parties.society, target=Target.place("unknown.example.com"), uses=["*"], source="form",
        claimant=Claimant(name="Lee", email="lee@example.com"),
    )  # fmt: skip
    item = ("domain", "unknown.example.com")
    assert verdicts(parties, item) == ["reserved"]
    assert verdicts(parties, item, on=timezone.localdate(before)) == ["unmatched"]  # the day of receipt
    assert verdicts(parties, item, on=timezone.localdate(before) + dt.timedelta(1)) == ["reserved"]
    clerk = staff(parties.society, "reservations.manage")
    reservations.reject(actor=clerk, reservation=made, reasons=[{"code": "not_holder", "detail": "Not theirs."}])
    assert verdicts(parties, item) == ["unmatched"]


def test_what_has_not_been_confirmed_does_not_count(parties: Firm) -> None:
    reservations.request(
        society=parties.society, target=Target.place("unknown.example.com"), uses=["*"],
        claimant=Claimant(name="Lee", email="lee@example.com"),
    )  # fmt: skip
    assert verdicts(parties, ("domain", "unknown.example.com")) == ["unmatched"]


def test_a_title_is_reserved_for_lines_and_items_that_name_a_work_by_it_alone(parties: Firm) -> None:
    reserved(parties, Target.identifier("title", "Summer  Rain", creators="Kim"))
    asked = [Item(title="summer rain", creators="KIM"), Item(title="Summer Rain", creators="Lee")]
    answers = services.check(actor=parties.declarant, use="train", items=asked, on=dt.date(2026, 3, 31))
    assert [answer.verdict for answer in getattr(answers, "answers", answers)] == ["reserved", "unmatched"]
    made = declare(
        parties,
        lines(",,5,Summer Rain,kim", ",,6,Summer Rain,Lee", header="identifier_type,identifier,units,title,creators"),
    )
    assert made.units["reserved"] == 5


@pytest.mark.parametrize("use", ["train", "ground"])
@pytest.mark.parametrize("territory", ["KR", "JP"])
def test_checks_and_declarations_agree_on_every_item_and_day(parties: Firm, use: str, territory: str) -> None:
    Identifier.objects.create(society=parties.society, work=work(parties, "U"), scheme="iscc", value=NEAR_CODE)
    reserve_something_of_every_kind(parties)
    days = [dt.date(2026, 3, day) for day in (10, 11, 20, 21)]
    for day in days:
        made = declare(
            parties,
            lines(
                *(f"{scheme},{value},{10**n},{day}" for n, (scheme, value) in enumerate(EVERYTHING[:13])),
                *(f"{scheme},{value},1,{day}" for scheme, value in EVERYTHING[13:]),
                header="identifier_type,identifier,units,used_on",
            ),
            use=use, territory=territory,
        )  # fmt: skip
        checked = verdicts(parties, *EVERYTHING, use=use, on=day, territory=territory)
        for (scheme, value), verdict in zip(EVERYTHING, checked, strict=True):
            assert _declared(made.pk, parties, scheme, value) >= {verdict}, (scheme, value, day)
        tally = {status: checked.count(status) for status in set(checked)}
        assert counts(made) == tally, day
        if use == "train" and territory == "KR":
            assert tally.get("reserved", 0) == {10: 0, 11: 10, 20: 10, 21: 9}[day.day]


def _declared(declaration: int, of: Firm, scheme: str, value: str) -> set[str]:
    """The statuses under which the declared use has this item: by its identifier, or its work's."""
    found = DeclaredUse.objects.filter(declaration_id=declaration)
    by_name = found.filter(scheme=scheme, value=value)
    if not by_name.exists():
        named = {("url", "en.wikipedia.org/wiki/Japan"): "W", ("url", "en.wikipedia.org/wiki/Korea"): "P"}
        known = Identifier.objects.filter(society=of.society, scheme=scheme, value=value).values("work__ref")
        ref = named.get((scheme, value)) or ("N" if "news" in value else known[0]["work__ref"])
        by_name = found.filter(work__ref=ref)
    return set(by_name.values_list("status", flat=True))


def test_an_opt_out_received_between_declaration_and_distribution_changes_nothing_past(parties: Firm) -> None:
    declared = declare(parties, lines(f"isbn,{ISBN},1000"), submit=True)
    assert (declared.status, uses(declared)) == ("accepted", [("B", "licensed", "licence", 1000, 1)])
    before = (declared.fee, declared.lines, declared.units)

    reservations.reserve(
        actor=SYSTEM, society=parties.society, target=Target.work(work(parties, "B")), uses=["*"], source="staff",
        claimant=Claimant(name="Han"),
    )  # fmt: skip
    declared.refresh_from_db()
    assert (declared.fee, declared.lines, declared.units) == before
    assert uses(declared) == [("B", "licensed", "licence", 1000, 1)]
    # Even read again after the opt-out, the same use of the same days is licensed; from now on it is not.
    amended = declare(parties, lines(f"isbn,{ISBN},1001"))
    assert uses(amended) == [("B", "licensed", "licence", 1001, 1)]
    assert verdicts(parties, ("isbn", ISBN)) == ["reserved"]


def test_a_place_or_identifier_is_reserved_whichever_society_received_it(parties: Firm) -> None:
    other = organisation("OTHER", "society")
    elsewhere = Firm(other, parties.licensee, parties.licence)
    reserved(elsewhere, Target.identifier("isbn", ISBN))
    reserved(elsewhere, Target.place("wikipedia.org"))
    reserved(elsewhere, Target.place("unknown.example.com"))
    items = [("isbn", ISBN), ("domain", "wikipedia.org"), ("domain", "unknown.example.com")]
    assert verdicts(parties, *items) == ["reserved"] * 3
    declared = declare(parties, lines(*(f"{scheme},{value},1" for scheme, value in items)))
    assert counts(declared) == {"reserved": 3}
    by_society = services.check(
        actor=staff(parties.society, "permissions.check"), use="train", items=[Item(*item) for item in items]
    )
    assert [answer.verdict for answer in by_society.answers] == ["reserved"] * 3


def test_thousands_of_items_meet_thousands_of_reservations_in_a_handful_of_queries(
    parties: Firm, django_assert_max_num_queries: Any
) -> None:
    now = timezone.now() - dt.timedelta(1)
    Reservation.objects.bulk_create(
        Reservation(
            ref=f"R-{n}", society=parties.society, target="place", place=f"h{n}.example.com", uses=["train"],
            territory=["*"], source="file", status="effective", received_at=now, effective_from=now,
        )
        for n in range(1_000)
    )  # fmt: skip
    items = [("url", f"h{n}.example.com/page") for n in range(0, 4_000, 2)]
    with django_assert_max_num_queries(25):
        given = verdicts(parties, *items)
    assert given.count("reserved") == 500


def test_a_licence_abroad_is_not_touched_by_a_reservation_at_home(parties: Firm) -> None:
    version = parties.licence.tariff
    create_licence(
        actor=SYSTEM, ref="L-2", society=parties.society, licensee=parties.licensee, tariff=version, uses=["*"],
        valid_from=dt.date(2026, 1, 1), territory=["*"],
    )  # fmt: skip
    reserved(parties, Target.work(work(parties, "B")), territory=["KR"])
    assert verdicts(parties, ("isbn", ISBN), on=dt.date(2026, 3, 31)) == ["reserved"]
    assert verdicts(parties, ("isbn", ISBN), on=dt.date(2026, 3, 31), territory="JP") == ["licensed"]
