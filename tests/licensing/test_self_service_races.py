"""Self-service at one moment: a signature clicked twice, two firms, and a society that closes meanwhile."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.identity.core import Actor, Conflict
from licensing.licences.models import Certificate, Licence, StandingOffer
from licensing.licences.services import standing, taking
from tests.accounts.people import organisation
from tests.licensing import licence_world
from tests.licensing.test_self_service import Shop
from tests.together import together

pytestmark = pytest.mark.usefixtures("committed_db")


def signature(shop: Shop, of: StandingOffer, actor: Actor) -> dict[str, Any]:
    chosen = shop.choices()
    shown = taking.propose(actor=actor, standing=of, **chosen)
    said = {"typed_name": "김하늘", "capacity": "director", "ref": shown.ref, "sha256": shown.sha256}
    return {"actor": actor, "standing": of, **said, **chosen}


def test_a_signature_clicked_twice_makes_one_licence() -> None:
    shop = Shop()
    signed = signature(shop, shop.opened(), shop.director)
    made = together(lambda: taking.take(**signed), lambda: taking.take(**signed))
    assert made[0] == made[1] == Licence.objects.get() and Certificate.objects.count() == 1


def test_two_firms_take_one_each_with_a_number_of_its_own() -> None:
    shop = Shop()
    of = shop.opened()
    other = licence_world.person(organisation("OTHER-AI", "licensee"), "administrator")
    first, second = signature(shop, of, shop.director), signature(shop, of, other)
    made = together(lambda: taking.take(**first), lambda: taking.take(**second))
    assert sorted(each.ref[-1] for each in made) == ["1", "2"]
    assert {each.licensee.ref for each in made} == {"HANBIT-AI", "OTHER-AI"}


def test_who_closes_and_who_takes_come_one_after_the_other() -> None:
    shop = Shop()
    of = shop.opened()
    signed = signature(shop, of, shop.director)
    taken, _closed = together(lambda: taking.take(**signed), lambda: standing.close(actor=shop.clerk, standing=of))
    assert isinstance(taken, (Licence, Conflict))
    assert Licence.objects.count() == isinstance(taken, Licence)
    assert StandingOffer.objects.get().status == "closed"
