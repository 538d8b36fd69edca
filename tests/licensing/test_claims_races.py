"""Two people at one item, two decisions about one claim: one counts, and the other hears of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache

from accounts.identity.core import Conflict
from licensing.claims import services
from licensing.claims.models import Claim
from licensing.claims.services import claiming, deciding
from licensing.matching.models import MatchRule
from licensing.repertoire.models import Work
from tests.licensing.claims_world import world
from tests.together import meeting, together


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    cache.clear()


def _slow(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
    """Whoever comes to this function waits for the other, so that both would be in it if nothing kept them apart."""
    real, meet = getattr(module.matching, name), meeting(2, patience=0.5)

    def wrapped(**given: Any) -> Any:
        meet()
        return real(**given)

    monkeypatch.setattr(module.matching, name, wrapped)


def test_of_two_at_one_item_the_second_hears_what_the_first_decided(
    committed_db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = world()
    one, two = made.staff(email="one@s.example"), made.staff(email="two@s.example")
    item, book = made.item(), Work.objects.get(ref="B")
    _slow(monkeypatch, deciding, "decide")
    results = together(
        lambda: services.decide(actor=one, item=item, work=book),
        lambda: services.decide(actor=two, item=item, work=None),
    )
    [refused] = [each for each in results if isinstance(each, Exception)]
    assert isinstance(refused, Conflict) and refused.code == "decided_already"
    assert "decided meanwhile" in refused.detail
    assert MatchRule.objects.count() == 1


def test_claims_are_decided_once(committed_db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = world()
    claim = made.claim(work=Work.objects.get(ref="B"))
    one, two = made.staff(email="one@s.example"), made.staff(email="two@s.example")
    _slow(monkeypatch, claiming, "decide")
    results = together(
        lambda: services.decide_claims(actor=one, item=claim.item, seen={claim.pk}, accepted=claim, reasons={}),
        lambda: services.decide_claims(
            actor=two, item=claim.item, seen={claim.pk}, accepted=None, reasons={claim.pk: "no"}
        ),
    )
    [refused] = [each for each in results if isinstance(each, Exception)]
    assert isinstance(refused, Conflict) and refused.code == "claims_changed"
    status = Claim.objects.get().status
    assert MatchRule.objects.count() == (1 if status == "accepted" else 0) and status in ("accepted", "refused")


def test_a_claim_and_a_decision_at_once_leave_no_claim_to_what_is_decided(committed_db: Any) -> None:
    made = world()
    item, staff, creator, holder = made.item(), made.staff(), made.creator(), made.holder()
    book = Work.objects.get(ref="B")
    results = together(
        lambda: services.decide(actor=staff, item=item, work=None),
        lambda: services.claim(actor=creator, holder=holder, item=item, statement="Mine.", work=book),
    )
    assert sum(isinstance(each, Conflict) for each in results) == 1
    assert Claim.objects.filter(status="open").count() + MatchRule.objects.count() == 1
