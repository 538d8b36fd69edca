"""What somebody might try with reservations: to bend when they count, who may make them, and what others are told."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from accounts.identity.core import SYSTEM, Refusal
from accounts.notices.models import Webhook, WebhookDelivery
from licensing.permissions.models import Reservation
from licensing.permissions.services import reservations
from licensing.permissions.services.targets import Claimant, Target
from licensing.repertoire.models import Holder, Share, Work
from tests.licensing.parties import determined, licence, organisation
from tests.licensing.reserving import Scene, scene

pytestmark = pytest.mark.django_db
SEO = Claimant(None, "Seo Yun", "seo@poet.example", "author", "en")
HANGUL = "".join(chr(0xAC00 + Random(n).randint(0, 11_000)) for n in range(1_800))  # nothing that packs well


@pytest.fixture
def parties(db: Any) -> Scene:
    return scene()


def work(ref: str) -> Work:
    return Work.objects.get(ref=ref)


# --- When it counts ----------------------------------------------------------------------------------------------------


def test_who_asked_for_later_and_now_asks_for_now_is_reserved_now(parties: Scene) -> None:
    later = timezone.now() + dt.timedelta(days=300)
    first = parties.reserved(Target.work(work("B")), effective_from=later)
    now = parties.reserved(Target.work(work("B")))
    assert now != first and now.effective_from is not None and now.effective_from <= timezone.now()
    assert parties.reserved(Target.work(work("B"))) == now, "and the same again is that one"
    assert parties.reserved(Target.work(work("B")), effective_from=later) in (first, now), "which both count then"


def test_a_change_from_now_on_leaves_no_gap_before_one_that_begins_later(parties: Scene) -> None:
    later = timezone.now() + dt.timedelta(days=300)
    parties.reserved(Target.work(work("B")), uses=["ground", "train"], effective_from=later)
    narrow = parties.reserved(Target.work(work("B")), uses=["train"])
    wider = reservations.supersede(actor=parties.member, reservation=narrow, uses=["ground", "train"])
    narrow.refresh_from_db()
    assert narrow.ended_at == wider.effective_from


def test_a_form_sent_for_later_and_again_for_now_asks_to_confirm_the_one_for_now(parties: Scene) -> None:
    later = timezone.now() + dt.timedelta(days=300)
    first = parties.asked_for(Target.work(work("B")))
    Reservation.objects.filter(pk=first.pk).update(status="withdrawn", ended_at=timezone.now())
    waiting = reservations.reserve(
        actor=SYSTEM, society=parties.society, target=Target.work(work("B")), uses=["train"], source="form", claimant=SEO,
        effective_from=later,
    )  # fmt: skip
    again = reservations.request(society=parties.society, target=Target.work(work("B")), uses=["train"], claimant=SEO)
    assert again != waiting and again.status == "unconfirmed"


def test_no_end_is_written_into_the_past(parties: Scene) -> None:
    """Who could, would take away from a case what was reserved on the day of use."""
    old = timezone.now() - dt.timedelta(days=60)
    made = Reservation.objects.create(
        ref="R-OLD", society=parties.society, target="work", work=work("B"), uses=["train"], territory=["*"], source="staff",
        status="effective", received_at=old, effective_from=old,
    )  # fmt: skip
    with pytest.raises(DatabaseError, match="end"), transaction.atomic():
        Reservation.objects.filter(pk=made.pk).update(status="withdrawn", ended_at=old + dt.timedelta(seconds=1))
    made.refresh_from_db()
    assert (made.status, made.ended_at) == ("effective", None)


def test_no_receipt_is_written_into_the_past(parties: Scene) -> None:
    asked = reservations.request(society=parties.society, target=Target.work(work("B")), uses=["train"], claimant=SEO)
    old = timezone.now() - dt.timedelta(days=60)
    with pytest.raises(DatabaseError, match="received"), transaction.atomic():
        Reservation.objects.filter(pk=asked.pk).update(status="received", received_at=old, effective_from=old)


# --- Who may -----------------------------------------------------------------------------------------------------------


def test_who_sold_their_share_long_ago_is_checked_like_anyone(parties: Scene) -> None:
    sold = work("W")
    buyer = Holder.objects.create(society=parties.society, ref="H2", name="Buyer")
    Share.objects.filter(work=sold).update(valid=("2020-01-01", "2022-01-01"))
    Share.objects.create(work=sold, holder=buyer, role="author", ppm=1_000_000, valid=("2022-01-01", None))
    assert parties.reserved(Target.work(sold)).status == "received"
    assert parties.reserved(Target.identifier("isbn", "9780306406157")).status == "effective", "their own, as before"
    Share.objects.filter(work=work("B")).update(valid=("2020-01-01", "2022-01-01"))
    assert parties.reserved(Target.identifier("isbn", "9780306406157"), uses=["train"]).status == "received"


# --- What it holds -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["doi", "proprietary", "title"])
def test_what_is_too_long_to_be_looked_up_is_refused_and_breaks_nothing(parties: Scene, scheme: str) -> None:
    text = f"10.1000/{HANGUL}" if scheme == "doi" else HANGUL[:900]
    with suppress(Refusal):
        parties.reserved(Target.identifier(scheme, text))
    assert Reservation.objects.filter(value="").count() == 0


def test_a_title_with_very_many_creators_is_refused_on_the_public_form(parties: Scene, client: Any) -> None:
    asked = {
        "title": HANGUL[:900], "creators": HANGUL, "uses": ["train"], "territory": ["*"], "name": "Seo", "email": "seo@poet.example",
        "role": "author", "society": parties.society.pk, "step": "send",
    }  # fmt: skip
    answer = client.post("/reserve/details/", asked)
    assert answer.status_code < 500


# --- What others are told ----------------------------------------------------------------------------------------------


def test_a_place_with_very_many_exceptions_is_reserved_though_programs_listen(parties: Scene) -> None:
    """An event has its bounds; a reservation never fails because of them."""
    firm = organisation("DASAN-AI", "licensee")
    licence(parties.society, firm, determined(parties.society))
    Webhook.objects.create(
        organisation=firm, url="https://firm.example/hook", events=["reservation.effective"], secret="sealed"
    )
    excepting = [f"/{n:03d}/" + "x" * 990 for n in range(100)]
    made = reservations.reserve(
        actor=SYSTEM, society=parties.society, target=Target.place("wikipedia.org", "", excepting), uses=["train"], source="signal",
        claimant=Claimant(holder=parties.holder), proved=True,
    )  # fmt: skip
    [told] = WebhookDelivery.objects.all()
    data = json.loads(told.body)["data"]
    assert (data["ref"], data["place"]) == (made.ref, "wikipedia.org")
    assert data["excepting"] is None, "left out, and said so: the register has them"


def test_who_reserves_all_their_works_under_a_pen_name_keeps_their_own_to_the_society(
    parties: Scene, client: Any
) -> None:
    Holder.objects.update(name="Real Name", name_ko="본명")
    made = parties.reserved(Target.of_holder(parties.holder))
    for path in ("/reservations/", f"/reservations/{made.ref}/", f"/api/v1/reservations/{made.ref}/"):
        for language in ("en", "ko"):
            page = client.get(path, headers={"accept-language": language}).content.decode()
            assert "H1" in page and "Real Name" not in page and "본명" not in page, path
    assert "Real Name" in parties.browser().get(f"/reservations/{made.ref}/").content.decode()
