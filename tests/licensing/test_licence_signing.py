"""Signing: a person with that authority, on each side, under the digest that was shown; then the licence."""

from __future__ import annotations

import pytest

from licensing.licences.models import Certificate
from tests.licensing.licence_world import DAY, World


@pytest.fixture
def world(db: None) -> World:
    return World()


def test_the_second_signature_makes_the_licence(world: World) -> None:
    offer = world.offered()
    world.sign(world.director, offer)
    offer.refresh_from_db()
    assert (offer.status, offer.licence) == ("open", None)

    world.sign(world.signer, offer)
    offer.refresh_from_db()
    offer.request.refresh_from_db()
    licence = offer.licence
    assert licence is not None
    assert (offer.status, offer.request.status, licence.status) == ("signed", "licensed", "active")
    assert licence.ref == f"WEB-SOCIETY-L{world.today.year}-1"
    assert (licence.society, licence.licensee, licence.tariff) == (world.society, world.firm, world.tariff)
    assert (licence.uses, licence.kinds, licence.territory, licence.tier) == (["train"], ["web"], ["KR"], "large")
    assert (licence.valid.lower, licence.valid.upper) == (world.today + DAY, world.today + 365 * DAY)
    assert licence.conditions == offer.conditions
    assert Certificate.objects.get().licence == licence
