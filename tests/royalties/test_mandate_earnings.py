"""What a mandate earns: amounts of published distributions by use, works it concerns, and what was declared without one."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.utils import timezone

from accounts.identity.core import SYSTEM
from accounts.identity.models import User
from licensing.permissions.services import end_mandate, grant_mandate
from licensing.repertoire.models import Holder, Representation
from royalties.distribution import services as distribution
from royalties.distribution.models import Run
from royalties.statements import services as statements
from royalties.statements.models import Statement
from royalties.statements.services.earnings import covered, declared_anyway, earned
from tests.accounts import people
from tests.royalties.world import QUARTER, Owned, Used, World, make_world

pytestmark = pytest.mark.django_db
MARCH = datetime.date(2026, 3, 1)


@pytest.fixture
def world() -> World:
    """Work A is trained on and read as a source; A and B share it. C is used without a mandate."""
    made = make_world()
    made.rule()
    made.own(
        Owned("A", "H-A", 500_000),
        Owned("A", "H-B", 500_000),
        Owned("B", "H-A", 1_000_000),
        Owned("C", "H-A", 1_000_000),
    )
    uses = [
        Used("A", 400), Used("A", 100, use="ground"), Used("B", 1000, use="ground"),
        Used("C", 70, status="unmandated"), Used("C", 5, use="index", status="unmandated"),
    ]  # fmt: skip
    made.receive(made.bill(made.declare(uses), net=1_000_000), 1_000_000)
    run = distribution.compute(distribution.start_run(actor=made.computer, society=made.society, period=QUARTER).pk)
    distribution.request(actor=made.computer, run=run)
    run = distribution.post(distribution.approve(actor=made.approver, run=run).pk)
    statements.publish(actor=made.approver, run=run)
    return made


def holder(ref: str = "H-A") -> Holder:
    return Holder.objects.get(ref=ref)


def test_what_the_uses_brought_is_what_the_statement_says(world: World) -> None:
    """A weighs 400 × 1000 for training and 100 × 2500 as a source: its amount is divided 8 : 5."""
    payable = Statement.objects.get(holder=holder()).payable
    train, ground = (sum(each.amount for each in earned(holder(), [use])) for use in ("train", "ground"))
    assert 0 <= payable - train - ground <= 1  # each rounded down
    of_a = sum(each.amount for each in earned(holder("H-B"), ["train", "ground"]))
    assert abs(earned(holder("H-B"), ["train"])[0].amount * 13 - of_a * 8) <= 26
    assert earned(holder(), ["finetune"]) == []


def test_a_mandate_earns_for_its_kinds_and_days_alone(world: World) -> None:
    assert earned(holder(), ["train"], kinds=["book"]) == []
    assert earned(holder(), ["train"], valid=DateRange(datetime.date(2026, 4, 1), None)) == []
    assert earned(holder(), ["train"], valid=DateRange(MARCH, None))


def test_nothing_counts_before_it_is_published_or_after_it_is_reversed(world: World) -> None:
    Run.objects.update(status="reversed")
    assert earned(holder(), ["train"]) == []


def test_works_are_counted_and_those_where_a_co_holder_gave_no_mandate(world: World) -> None:
    today = timezone.localdate()
    assert covered(holder(), ["train"], today) == (3, 1)
    given = grant_mandate(actor=SYSTEM, holder=holder("H-B"), uses=["train"], valid_from=datetime.date(2026, 1, 1))
    assert covered(holder(), ["train"], today) == (3, 0)
    assert covered(holder(), ["ground"], today) == (3, 1)
    assert covered(holder(), ["train"], today, kinds=["book"]) == (0, 0)
    end_mandate(actor=SYSTEM, mandate=given, on=today)
    assert covered(holder(), ["train"], today) == (3, 1)


def test_what_was_declared_without_a_mandate_is_told_before_one_signs(world: World) -> None:
    rows = declared_anyway(holder(), ["train"])
    assert [(row["licensee"], row["use"], int(row["total"]), row["works"]) for row in rows] == [
        (world.licensee, "train", 70, 1)
    ]
    assert declared_anyway(holder("H-B"), ["train"]) == []


def test_the_page_costs_few_queries_and_shows_it_all(world: World, django_assert_max_num_queries: Any) -> None:
    given = grant_mandate(actor=SYSTEM, holder=holder(), uses=["train", "ground"], valid_from=datetime.date(2026, 1, 1))
    client = Client()
    client.force_login(User.objects.get(pk=world.member("H-A").user_id))
    with django_assert_max_num_queries(20):  # some of them the shell's
        page = client.get(f"/mandates/{given.pk}/")
    assert page.status_code == 200
    assert page.context["total"] > 0 and page.context["works"] == 3
    before = client.get("/earnings/", {"use": "index"})
    assert before.context["total"] == 0 and len(before.context["anyway"]) == 1
    assert client.get("/earnings/", {"use": "poetry"}).status_code == 404
    assert client.get("/earnings/", {"use": "index", "holder": holder("H-B").pk}).status_code == 404


def test_amounts_are_not_for_the_catalogue(world: World) -> None:
    user = User.objects.create_user("catalogue@x.example", "pw")
    Representation.objects.create(user=user, holder=holder(), scope="catalogue")
    given = grant_mandate(actor=SYSTEM, holder=holder(), uses=["train"], valid_from=datetime.date(2026, 1, 1))
    client = Client()
    client.force_login(user)
    assert client.get(f"/mandates/{given.pk}/").context["rows"] == []
    assert client.get("/earnings/", {"use": "train"}).status_code == 403
    assert Client().get("/earnings/").status_code == 302
    client.force_login(people.person(people.organisation("OTHER", "society")))
    assert client.get(f"/mandates/{given.pk}/").status_code == 404
