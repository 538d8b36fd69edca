"""Notices of reservations: whom they concern, once each; acknowledged, reminded, closed when the reservation ends."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from django.utils import timezone

from accounts.evidence.models import Event
from accounts.identity.core import Forbidden, NotFound
from accounts.notices.models import Notice, Webhook, WebhookDelivery
from licensing.compliance import services
from licensing.compliance.models import ReservationNotice
from licensing.declarations.models import Declaration
from licensing.permissions.models import Reservation
from licensing.repertoire.models import Holder, Identifier, Work
from tests.accounts import people
from tests.licensing.compliance_world import World, declared, make
from tests.licensing.parties import licence, organisation

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


def published() -> list[tuple[str, str]]:
    """What the firm's program was told: (kind, reservation)."""
    sent = WebhookDelivery.objects.order_by("id").values_list("kind", "body")
    return [(kind, json.loads(body)["data"]["ref"]) for kind, body in sent]


@pytest.fixture
def world() -> World:
    """A firm that declared work U, and example.com/a and news.example.org under no work; its licence is for images alone."""
    rows = (("U", 1000), ("url:example.com/a/b", 5, "unmatched"), ("domain:news.example.org", 5, "unmatched"))
    made = make(*rows, kinds=["image"])
    kinds = ["reservation.effective", "reservation.withdrawn"]
    Webhook.objects.create(
        organisation=made.of.licensee, url="https://firm.example/hook", events=kinds, secret="sealed"
    )
    return made


def reserve(
    world: World, *, since: datetime.datetime | None = None, status: str = "effective", **fields: Any
) -> Reservation:
    """A reservation of training that took effect an hour ago."""
    at = since or timezone.now() - datetime.timedelta(hours=1)
    given = {
        "uses": ["train"],
        "territory": ["*"],
        "source": "staff",
        "received_at": min(at, timezone.now()),
        "effective_from": at,
    }
    number = Reservation.objects.count() + 1
    return Reservation.objects.create(society=world.society, ref=f"RES-{number:04d}", status=status, **given | fields)


def of_work(world: World, ref: str = "U", **fields: Any) -> Reservation:
    return reserve(world, target="work", work=Work.objects.get(ref=ref), **fields)


def of_place(world: World, place: str, **fields: Any) -> Reservation:
    return reserve(world, target="place", place=place, **fields)


def told() -> list[tuple[str, str]]:
    rows = ReservationNotice.objects.order_by("id").values_list("reservation__ref", "licensee__ref")
    return [(ref, licensee) for ref, licensee in rows]


def test_who_declared_a_work_hears_once_that_it_is_reserved(world: World) -> None:
    kept = of_work(world)
    assert services.tell_effective() == 1 and services.tell_effective() == 0
    [notice] = ReservationNotice.objects.all()
    assert (notice.licensee, notice.reservation) == (world.of.licensee, kept)
    assert notice.because == {"declarations": [world.declaration.pk], "licences": []}
    assert notice.due_on == timezone.localdate() + 14 * DAY
    assert list(Notice.objects.filter(user_id=world.licensee.user_id).values_list("subject", flat=True)) == [
        "A reservation took effect that concerns you"
    ]
    assert published() == [("reservation.effective", kept.ref)]
    kept.refresh_from_db()
    assert kept.told_at is not None


def test_one_notice_by_mail_for_many_reservations(world: World) -> None:
    for _n in range(3):
        of_work(world)
    assert services.tell_effective() == 3
    assert Notice.objects.get(user_id=world.licensee.user_id).subject == "3 reservations took effect that concern you"


@pytest.mark.parametrize(
    ("place", "fields", "heard"),
    [
        ("example.com", {}, True),
        ("example.com/a", {}, True),
        ("example.com/a/b", {}, True),
        ("example.com/a/b/c", {}, False),
        ("example.com/ab", {}, False),
        ("ample.com", {}, False),
        ("example.org", {}, True),
        ("example.com", {"pattern": "/a/*"}, True),
        ("example.com", {"pattern": "/b/*"}, False),
        ("example.com", {"excepting": ["/a/"]}, False),
        ("example.com", {"pattern": "/a_b"}, False),
    ],
)
def test_a_place_concerns_who_declared_something_at_or_below_it(
    world: World, place: str, fields: dict[str, Any], heard: bool
) -> None:
    of_place(world, place, **fields)
    assert services.tell_effective() == int(heard)


def test_a_place_concerns_works_that_are_registered_below_it(world: World) -> None:
    Identifier.objects.create(
        society=world.society, work=Work.objects.get(ref="U"), scheme="url", value="books.example.net/u"
    )
    of_place(world, "example.net")
    assert services.tell_effective() == 1


def test_a_holder_and_an_identifier_concern_their_works(world: World) -> None:
    Identifier.objects.create(
        society=world.society, work=Work.objects.get(ref="U"), scheme="isbn", value="9780306406157"
    )
    reserve(world, target="holder", holder=Holder.objects.get(ref="H3"))
    reserve(world, target="identifier", scheme="isbn", value="9780306406157")
    reserve(world, target="identifier", scheme="domain", value="news.example.org")
    reserve(world, target="holder", holder=Holder.objects.get(ref="H2"))  # of W, which nobody declared
    assert services.tell_effective() == 3


def test_a_licence_that_covers_it_is_enough(world: World) -> None:
    """Work N is a book that nobody declared. Licences for books and training concern it; others do not."""
    version = world.of.licence.tariff.versions.get()
    others: tuple[dict[str, Any], ...] = (
        {"uses": ["index"]},
        {"kinds": ["music"]},
        {"territory": ["JP"]},
        {"valid_from": datetime.date(2999, 1, 1)},
    )
    for n, given in enumerate(others):
        firm = organisation(f"NOT-{n}", "licensee")
        licence(world.society, firm, version, **{"ref": f"L-NOT-{n}", "uses": ["train"], "territory": ["KR"], **given})
    reader = organisation("READER", "licensee")
    licence(world.society, reader, version, ref="L-READ", uses=["train"], kinds=["book"], territory=["KR"])
    of_work(world, "N", territory=["KR"])
    assert services.tell_effective() == 1
    assert ReservationNotice.objects.get().because == {"declarations": [], "licences": ["L-READ"]}


def test_drafts_sandbox_and_superseded_declarations_concern_nobody(world: World) -> None:
    Declaration.objects.filter(pk=world.declaration.pk).update(status="superseded")
    of_work(world)
    assert services.tell_effective() == 0


def test_another_societys_licensee_is_not_concerned(world: World) -> None:
    reserve(world, target="work", work=Work.objects.get(ref="S"))
    assert services.tell_effective() == 0 and told() == []


def test_what_has_not_taken_effect_waits(world: World) -> None:
    later = of_work(world, since=timezone.now() + DAY)
    of_work(world, status="received")
    assert services.tell_effective() == 0
    later.refresh_from_db()
    assert later.told_at is None, "it is told on its day"


def test_an_ended_reservation_closes_what_waits_and_says_so_once(world: World) -> None:
    kept = of_work(world)
    services.tell_effective()
    Reservation.objects.filter(pk=kept.pk).update(status="withdrawn", ended_at=timezone.now())
    assert services.tell_ended() == 1 and services.tell_ended() == 0
    assert not ReservationNotice.objects.waiting().exists()
    assert published()[1:] == [("reservation.withdrawn", kept.ref)]


def test_the_licensee_acknowledges_once(world: World) -> None:
    of_work(world)
    services.tell_effective()
    notice = ReservationNotice.objects.get()
    done = services.acknowledge(actor=world.licensee, notice=notice)
    assert done.acknowledged_at and done.acknowledged_by_id == world.licensee.user_id
    again = services.acknowledge(actor=world.licensee, notice=notice)
    assert again.acknowledged_at == done.acknowledged_at
    assert Event.objects.filter(verb="reservation.acknowledged").count() == 1


def test_all_at_once(world: World) -> None:
    for _n in range(3):
        of_work(world)
    services.tell_effective()
    assert services.acknowledge_all(actor=world.licensee) == 3
    assert services.acknowledge_all(actor=world.licensee) == 0


def test_only_the_licensees_declarants_acknowledge(world: World) -> None:
    of_work(world)
    services.tell_effective()
    notice = ReservationNotice.objects.get()
    for actor, error in (
        (world.staff, Forbidden),
        (people.actor(world.of.licensee, "finance"), Forbidden),
        (people.actor(organisation("OTHER-AI", "licensee"), "declarant"), NotFound),
    ):
        with pytest.raises(error):
            services.acknowledge(actor=actor, notice=notice)
    notice.refresh_from_db()
    assert notice.acknowledged_at is None


def test_a_reminder_after_a_week_and_one_when_overdue(world: World) -> None:
    of_work(world)
    services.tell_effective()
    notice = ReservationNotice.objects.all()
    assert services.remind() == 0
    notice.update(sent_at=timezone.now() - 7 * DAY)
    assert services.remind() == 1 and services.remind() == 0
    notice.update(due_on=timezone.localdate() - DAY, reminded_at=timezone.now() - 3 * DAY)
    assert services.remind() == 1 and services.remind() == 0
    assert Notice.objects.filter(subject="1 notice of a reservation waits for you").count() == 2


def test_what_is_acknowledged_is_not_reminded(world: World) -> None:
    of_work(world)
    services.tell_effective()
    ReservationNotice.objects.update(sent_at=timezone.now() - 20 * DAY, due_on=timezone.localdate() - DAY)
    services.acknowledge_all(actor=world.licensee)
    assert services.remind() == 0


def test_many_reservations_take_few_queries(world: World, django_assert_max_num_queries: Any) -> None:
    declared(world.of, ("W", 5), ("N", 5))
    for n in range(30):
        of_work(world, "UWN"[n % 3])
    with django_assert_max_num_queries(130):
        assert services.tell_effective() == 30
