"""A test token sees no money and no live use, whoever owns it."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from accounts.access.services import issue_token
from accounts.identity.core import SYSTEM
from accounts.identity.models import User
from config.actors import actor_of_token
from royalties.distribution import services as distribution
from royalties.distribution.models import Allocation
from royalties.statements import services as statements
from tests.royalties.world import QUARTER, make_world, worked_example

pytestmark = pytest.mark.django_db


def test_a_test_token_sees_no_money_and_no_live_use() -> None:
    world = make_world()
    world.rule()
    worked_example(world)
    run = distribution.compute(distribution.start_run(actor=world.computer, society=world.society, period=QUARTER).pk)
    distribution.request(actor=world.computer, run=run)
    run = distribution.post(distribution.approve(actor=world.approver, run=run).pk)
    statements.publish(actor=world.approver, run=run)
    creator = User.objects.get(pk=world.member("H-A").user_id)
    seen_by = {
        ("society", "runs"): {"organisation": world.society}, ("society", "invoices"): {"organisation": world.society},
        ("society", "me/statements"): {"organisation": world.society}, ("creator", "me/statements"): {"user": creator},
        ("creator", "me/uses"): {"user": creator},
    }  # fmt: skip
    for (who, path), owner in seen_by.items():
        for sandbox in (False, True):
            token, text = issue_token(actor=SYSTEM, scopes="*", sandbox=sandbox, **owner)
            client = APIClient(headers={"Authorization": f"Bearer {text}"})
            assert bool(client.get(f"/api/v1/{path}/").json()["results"]) is not sandbox, (who, path)
            assert Allocation.objects.visible_to(actor_of_token(token)).exists() is not sandbox
