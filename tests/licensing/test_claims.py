"""A creator claims what nobody knew the holder of; the society decides about all who claim the same, and says why."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction

from accounts.access.limits import TooOften
from accounts.evidence.models import Event
from accounts.identity.core import Conflict, Forbidden, NotFound, Refusal
from accounts.notices.models import Notice
from licensing.claims import services
from licensing.claims.models import Claim
from licensing.claims.services import claiming
from licensing.matching.models import MatchRule
from licensing.repertoire.models import Work
from tests.licensing.claims_world import World, world
from tests.licensing.joining_world import member, society

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    cache.clear()


def work(ref: str = "B") -> Work:
    return Work.objects.get(ref=ref)


def decide(of: World, accepted: Claim | None, *claims: Claim, **options: Any) -> list[Claim]:
    reasons = {claim.pk: "We know the author." for claim in claims}
    return services.decide_claims(
        actor=options.pop("actor", None) or of.staff(), item=of.item(), seen={claim.pk for claim in claims},
        accepted=accepted, reasons=options.pop("reasons", reasons), **options,
    )  # fmt: skip


# Claimed


def test_a_claim_keeps_what_is_said_and_shown_and_tells_the_society() -> None:
    made = world()
    staff = made.staff()
    claim = made.claim()
    assert claim.ref.startswith("K-") and claim.status == "open" and claim.evidence.size == 21
    assert Event.objects.about("claim", claim.pk).get().verb == "claim.made"
    notice = Notice.objects.get(user_id=staff.user_id)
    assert "The Vegetarian Diaries" in notice.subject and notice.link == f"/claims/{claim.pk}/"


def test_a_registered_work_of_theirs_shows_enough() -> None:
    made = world()
    assert made.claim(work=work(), evidence=None).work == work()
    with pytest.raises(Refusal, match="Show that it is yours"):
        made.claim("H2", evidence=None)
    with pytest.raises(Refusal, match="not on record as theirs"):
        made.claim("H2", work=work())  # H1's


def test_who_claims_has_one_open_claim_to_an_item() -> None:
    made = world()
    first = made.claim()
    with pytest.raises(Conflict, match="claim this already"):
        made.claim()
    services.withdraw(actor=made.creator(), claim=first)
    assert made.claim().pk != first.pk


def test_a_member_of_another_society_joins_first() -> None:
    made = world()
    other = member(society("OTHER"), "M-1", "Ada Byun")
    with pytest.raises(Forbidden, match="Join it"):
        services.claim(
            actor=other.actor, holder=other.holder, item=made.item(), statement="Mine", evidence=io.BytesIO(b"x")
        )
    with pytest.raises(NotFound):  # nor for a member whom they do not act for
        services.claim(
            actor=other.actor, holder=made.holder(), item=made.item(), statement="Mine", evidence=io.BytesIO(b"x")
        )
    assert not Claim.objects.exists()


def test_a_file_that_is_too_large_and_a_flood_of_claims_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    made = world()
    monkeypatch.setattr(claiming, "MOST_AN_HOUR", 2)

    class Large(io.BytesIO):
        size = claiming.MOST_BYTES + 1

    with pytest.raises(Refusal, match="too large"):
        made.claim(evidence=Large(b"x"))
    made.claim()
    with pytest.raises(TooOften):
        made.claim(item=made.item("other-site.example.net"))


# Decided


def test_an_accepted_claim_makes_the_item_the_work_and_tells_the_claimant() -> None:
    made = world()
    claim = made.claim(work=work())
    decide(made, claim, claim, reasons={claim.pk: "Welcome."})
    claim.refresh_from_db()
    rule = MatchRule.objects.get()
    assert (claim.status, claim.reason, claim.work) == ("accepted", "Welcome.", work())
    assert (rule.source, rule.work, claim.ref in rule.reason) == ("claim", work(), True)
    assert made.item().status == "matched"
    assert Event.objects.about("claim", claim.pk).filter(verb="claim.accepted").exists()
    notice = Notice.objects.get(user_id=claim.claimant_id)
    assert "accepted" in notice.subject and "next distribution pays" in notice.body


def test_a_claim_is_accepted_only_with_a_work_of_theirs() -> None:
    made = world()
    claim = made.claim("H2")
    with pytest.raises(Refusal) as no_work:
        decide(made, claim, claim)
    assert no_work.value.code == "no_work"
    with pytest.raises(Refusal, match="not on record as theirs"):
        decide(made, claim, claim, work=work(), actor=made.staff("administrator"))
    assert Claim.objects.get().status == "open" and not MatchRule.objects.exists()
    decide(
        made, claim, claim, work=work("P"), actor=made.staff(email="third@s.example")
    )  # which H2 has registered since
    assert MatchRule.objects.get().work == work("P")


def test_rivals_are_decided_together_and_the_refused_hear_why() -> None:
    made = world()
    first, second = made.claim(work=work()), made.claim("H2")
    with pytest.raises(Conflict, match="once more"):
        decide(made, first, first)  # without having looked at the other
    with pytest.raises(Refusal, match="Say why you refuse"):
        decide(made, first, first, second, reasons={}, actor=made.staff("administrator"))
    assert {claim.status for claim in Claim.objects.all()} == {"open"}
    decide(made, first, first, second, actor=made.staff(email="third@s.example"))
    second.refresh_from_db()
    assert (second.status, second.reason) == ("refused", "We know the author.")
    assert "We know the author." in Notice.objects.get(user_id=second.claimant_id).body


def test_refusing_all_leaves_the_item_open() -> None:
    made = world()
    first, second = made.claim(), made.claim("H2")
    decide(made, None, first, second)
    assert {claim.status for claim in Claim.objects.all()} == {"refused"} and made.item().status == "open"


def test_what_was_accepted_can_be_taken_back_and_the_claimant_hears_of_it() -> None:
    made = world()
    claim, staff = made.claim(work=work()), made.staff()
    decide(made, claim, claim, actor=staff)
    services.undo(actor=staff, rule=MatchRule.objects.get(), reason="It is by another Kim Ha.")
    claim.refresh_from_db()
    assert (claim.status, made.item().status) == ("accepted", "open")  # what was decided stays on record
    told = Notice.objects.filter(user_id=claim.claimant_id).order_by("-pk")[0]
    assert "taken back" in told.subject and "another Kim Ha" in told.body


def test_a_firm_and_a_small_role_decide_nothing() -> None:
    made = world()
    claim = made.claim(work=work())
    for actor, refusal in (
        (made.staff("auditor"), Forbidden),
        (made.firm.declarant, NotFound),
        (made.creator(), NotFound),
    ):
        with pytest.raises(refusal):
            decide(made, claim, claim, actor=actor)
    assert Claim.objects.get().status == "open"


def test_a_claim_is_withdrawn_by_whose_it_is_and_while_it_is_open() -> None:
    made = world()
    claim = made.claim()
    with pytest.raises(NotFound):
        services.withdraw(actor=made.creator("H2"), claim=claim)
    services.withdraw(actor=made.creator(), claim=claim)
    with pytest.raises(Conflict):
        services.withdraw(actor=made.creator(), claim=claim)


def test_each_sees_their_own() -> None:
    made = world()
    claim = made.claim()
    seen = Claim.objects.visible_to
    assert seen(made.creator()).get() == claim == seen(made.staff()).get()
    assert not seen(made.creator("H2")).exists() and not seen(made.firm.declarant).exists()


# Kept in the database


@pytest.mark.parametrize("attack", [
    "UPDATE licensing_claim SET status = 'open'",
    "UPDATE licensing_claim SET reason = 'x'",
    "DELETE FROM licensing_claim",
    "TRUNCATE licensing_claim",
])  # fmt: skip
def test_a_decided_claim_stays_as_it_was_decided(attack: str) -> None:
    made = world()
    claim = made.claim()
    decide(made, None, claim)
    _refused(attack)


@pytest.mark.parametrize("attack", [
    "UPDATE licensing_claim SET statement = 'x'",
    "UPDATE licensing_claim SET holder_id = (SELECT id FROM licensing_holder WHERE ref = 'H2')",
    "UPDATE licensing_claim SET item_id = (SELECT id FROM licensing_unmatched WHERE value LIKE 'other%')",
    "UPDATE licensing_claim SET evidence_id = NULL",
    "DELETE FROM licensing_claim",
])  # fmt: skip
def test_an_open_claim_says_what_it_said(attack: str) -> None:
    world().claim()
    _refused(attack)


def _refused(attack: str) -> None:
    before = list(Claim.objects.values())
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(attack)
    assert list(Claim.objects.values()) == before
