"""The society's pages of distribution, walked through by two people."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.identity.core import Actor
from accounts.identity.models import User
from royalties.billing.models import Invoice, InvoiceDeclaration
from royalties.distribution import services
from royalties.distribution.models import Rule, Run
from royalties.distribution.tasks import compute_run, post_run
from royalties.statements.models import Statement
from royalties.statements.tasks import publish_run
from tests.royalties.test_corrections import amend
from tests.royalties.test_releases import mandate, mean, posted
from tests.royalties.world import QUARTER, RULE, Owned, Used, World, make_world, staff, worked_example

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture(autouse=True)
def tasks_run_when_asked(monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any) -> None:
    """No worker in these tests: a task that is sent runs at once."""
    for task in (compute_run, post_run, publish_run):
        monkeypatch.setattr(task, "delay", task.run)


def browser(actor: Actor) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=actor.user_id))
    return client


def post(client: Client, capture: Any, name: str, *args: Any, **data: Any) -> Any:
    with capture(execute=True):
        return client.post(reverse(f"royalties:{name}", args=args), data, follow=True)


def test_two_people_bring_a_run_from_start_to_statements(world: World, django_capture_on_commit_callbacks: Any) -> None:
    capture = django_capture_on_commit_callbacks
    world.rule()
    worked_example(world)
    one, two = browser(world.computer), browser(world.approver)
    page = post(one, capture, "run_start", start="2026-01-01", end="2026-04-01", currency="")
    run = Run.objects.get()
    assert page.redirect_chain[-1][0] == reverse("royalties:run", args=[run.pk])
    assert run.status == Run.Status.COMPUTED
    text = one.get(reverse("royalties:run", args=[run.pk])).content.decode()
    for shown in ("₩1,000,003", "₩150,000", "₩25,500", "₩824,503", "₩28,309", "Ask for approval"):
        assert shown in text
    assert "Post to the ledger" not in text
    post(one, capture, "run_ask", run.pk)
    assert "A second person has to decide" in one.get(reverse("royalties:run", args=[run.pk])).content.decode()
    assert post(one, capture, "run_decide", run.pk, decision="approve").status_code == 403
    assert "Approve this result" in two.get(reverse("royalties:run", args=[run.pk])).content.decode()
    post(two, capture, "run_decide", run.pk, decision="approve", reason="fine")
    post(two, capture, "run_post", run.pk)
    run.refresh_from_db()
    assert run.status == Run.Status.POSTED
    post(two, capture, "run_publish", run.pk)
    run.refresh_from_db()
    assert run.status == Run.Status.PUBLISHED and Statement.objects.count() == 5
    post(one, capture, "run_reversal_ask", run.pk)
    post(two, capture, "run_reversal_decide", run.pk, decision="approve", reason="wrong")
    run.refresh_from_db()
    assert run.status == Run.Status.REVERSED
    assert "Reversed." in two.get(reverse("royalties:run", args=[run.pk])).content.decode()


def test_parts_of_the_review(world: World) -> None:
    world.rule()
    worked_example(world)
    world.own(Owned("OVER", "H-A", 700_000), Owned("OVER", "H-C", 700_000))
    world.receive(world.bill(world.declare([Used("OVER", 1)]), net=1_000, number="INV-2"), 1_000)
    run = services.compute(services.start_run(actor=world.computer, society=world.society, period=QUARTER).pk)
    client = browser(world.computer)
    for group in ("holder", "work", "licensee"):
        assert client.get(reverse("royalties:run_differences", args=[run.pk, group])).status_code == 200
    assert client.get(reverse("royalties:run_differences", args=[run.pk, "else"])).status_code == 404
    assert "identity holds" in client.get(reverse("royalties:run_checks", args=[run.pk])).content.decode()
    waiting = client.get(reverse("royalties:run_waiting", args=[run.pk])).content.decode()
    assert "domain:unknown.example" in waiting and "claim more than the whole" in waiting
    only = client.get(reverse("royalties:run_waiting", args=[run.pk]), {"reason": "overclaimed"}).content.decode()
    assert "domain:unknown.example" not in only
    csv = client.get(reverse("royalties:run_export", args=[run.pk]))
    body = b"".join(csv.streaming_content).decode().splitlines()
    assert len(body) == 8 and body[0].startswith("holder_ref,work_ref,identifier,status,amount,currency")
    assert client.get(reverse("royalties:run_progress", args=[run.pk])).headers["HX-Refresh"] == "true"
    assert client.get(reverse("royalties:suspense")).status_code == 200


def test_a_draft_shows_that_it_moves_or_why_it_does_not(world: World) -> None:
    world.rule()
    world.own(Owned("A", "H1", 1_000_000))
    world.receive(world.bill(world.declare([Used("A", 1), Used("isbn:1", 1, unit="page")]), net=10), 10)
    run = services.start_run(actor=world.computer, society=world.society, period=QUARTER)
    client = browser(world.computer)
    assert "Waiting for a worker" in client.get(reverse("royalties:run", args=[run.pk])).content.decode()
    assert client.get(reverse("royalties:run_progress", args=[run.pk])).status_code == 200
    compute_run.run(run.pk)
    assert "mixes units" in client.get(reverse("royalties:run", args=[run.pk])).content.decode()


def test_what_is_refused_is_said_on_the_form(world: World) -> None:
    client = browser(world.computer)
    page = client.post(reverse("royalties:run_start"), {"start": "2026-01-01", "end": "2026-04-01"})
    assert page.status_code == 200 and "No money waits" in page.content.decode()
    assert "No runs yet" in client.get(reverse("royalties:runs")).content.decode()


def test_rules_are_imported_and_approved_by_two(world: World) -> None:
    one, two = browser(world.computer), browser(world.approver)
    assert "No rule yet" in one.get(reverse("royalties:rules")).content.decode()
    refused = one.post(reverse("royalties:rule_import"), {"text": json.dumps(RULE | {"typo": 1})}).content.decode()
    assert "/typo" in refused
    assert one.post(reverse("royalties:rule_import"), {"text": "{"}).status_code == 200
    one.post(reverse("royalties:rule_import"), {"text": json.dumps(RULE)})
    rule = Rule.objects.get()
    one.post(reverse("royalties:rule_ask", args=[rule.pk]))
    assert one.post(reverse("royalties:rule_decide", args=[rule.pk]), {"decision": "approve"}).status_code == 403
    two.post(reverse("royalties:rule_decide", args=[rule.pk]), {"decision": "approve"})
    rule.refresh_from_db()
    assert rule.status == Rule.Status.APPROVED
    text = one.get(reverse("royalties:rule", args=[rule.pk])).content.decode()
    assert "management fee" in text and "15%" in text
    assert '"version": 2' in one.get(reverse("royalties:rule_import")).content.decode().replace("&quot;", '"')


@pytest.mark.parametrize(
    ("method", "name", "permission"),
    [
        ("get", "runs", "distribution.view"), ("get", "run", "distribution.view"), ("get", "run_waiting", "distribution.view"),
        ("get", "run_checks", "distribution.view"), ("get", "run_export", "distribution.view"), ("get", "rules", "distribution.view"),
        ("get", "suspense", "distribution.view"), ("get", "run_start", "distribution.compute"),
        ("post", "run_recompute", "distribution.compute"),
        ("post", "run_discard", "distribution.compute"), ("post", "run_ask", "distribution.compute"),
        ("post", "run_decide", "distribution.approve"),
        ("post", "run_post", "distribution.approve"), ("post", "run_publish", "distribution.approve"),
        ("post", "run_reversal_ask", "distribution.compute"), ("post", "run_reversal_decide", "distribution.approve"),
    ],
)  # fmt: skip
def test_each_page_asks_for_its_permission(world: World, method: str, name: str, permission: str) -> None:
    world.rule()
    worked_example(world)
    run = services.compute(services.start_run(actor=world.computer, society=world.society, period=QUARTER).pk)
    address = reverse(
        f"royalties:{name}", args=[run.pk] if (name.startswith("run_") and name != "run_start") or name == "run" else []
    )
    assert getattr(Client(), method)(address).status_code == 302  # to sign in
    small = staff(world.society, "small", "repertoire")
    assert permission not in small.permissions
    assert getattr(browser(small), method)(address).status_code == 403
    stranger = make_world("OTHER", "OTHER-FIRM")
    answer = getattr(browser(stranger.approver if permission.endswith("approve") else stranger.computer), method)(
        address
    )
    assert answer.status_code == (404 if str(run.pk) in address else 200)
    before = run.status
    run.refresh_from_db()
    assert run.status == before


def test_what_moves_a_second_time_is_shown_before_and_in_the_run(
    world: World, django_capture_on_commit_callbacks: Any
) -> None:
    """Of ₩1,000 distributed, 200 in suspense mean a work now; of another 500, the declaration was amended."""
    world.rule(deductions=[])
    world.own(Owned("A", "H-A", 1_000_000), Owned("C", "H-C", 1_000_000))
    mandate(world, "H-A", "H-C")
    world.receive(world.bill(world.declare([Used("A", 4), Used("domain:x.example", 1)]), net=1_000), 1_000)
    world.receive(world.bill(world.declare([Used("A", 1)]), net=500, number="INV-2"), 500)
    posted(world)
    mean(world, "domain:x.example", "C")
    amended = amend(world, [Used("C", 1)], net=None)
    one = browser(world.computer)
    text = one.get(reverse("royalties:run_start")).content.decode()
    assert "Leaves suspense:" in text and "₩200" in text and "Waits for a bill:" in text
    InvoiceDeclaration.objects.create(invoice=Invoice.objects.get(number="INV-2"), declaration=amended)
    text = one.get(reverse("royalties:run_start")).content.decode()
    assert "Is divided anew:" in text and "INV-2" in text
    first = Run.objects.get()
    post(one, django_capture_on_commit_callbacks, "run_start", start="2026-01-01", end="2026-04-01", currency="")
    run = Run.objects.latest("id")
    assert (run.status, run.released, run.corrected) == (Run.Status.COMPUTED, 200, 500)
    text = one.get(reverse("royalties:run", args=[run.pk])).content.decode()
    for shown in (f"released from suspense of run {first.pk}", "divided anew</div>", "Holder H-C",
                  "Old and new amounts by holder", "Equal to what was received, released and taken back."):  # fmt: skip
        assert shown in text
