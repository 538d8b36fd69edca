"""Payouts by several people at once, and cut off at every step: the money goes once, or waits whole.

Each lock has a control that shows the race without it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from config.demo.story import manage
from royalties.ledger.models import Journal
from royalties.payouts import services
from royalties.payouts.models import Batch, Payment
from tests.concurrency.holds import Aside, Hold, code, race
from tests.concurrency.scene import Commands, sound
from tests.databases import Databases, using
from tests.processes import wait_until
from tests.royalties.payouts_world import Office, make_office

STARTED = "AFTER INSERT ON royalties_batch FOR EACH ROW"
POSTED = "BEFORE INSERT ON ledger_posting FOR EACH STATEMENT"
EVENT = "BEFORE INSERT ON accounts_event FOR EACH ROW WHEN"
# Each with the status in which the batch is left when the process dies there.
POINTS = {
    "start": ("", f"{EVENT} (NEW.verb = 'payout_batch.started')"),
    "payments": ("draft", "BEFORE INSERT ON royalties_payment FOR EACH ROW WHEN (NEW.position = 2)"),
    "end of preparing": ("draft", f"{EVENT} (NEW.verb = 'payout_batch.prepared')"),
    "approval": ("prepared", f"{EVENT} (NEW.verb = 'payout_batch.approved')"),
    "posting": ("approved", POSTED),
    "end of ordering": ("approved", f"{EVENT} (NEW.verb = 'payout_batch.ordered')"),
    "file": ("ordered", f"{EVENT} (NEW.verb = 'payout_batch.sent')"),
}


@pytest.fixture(scope="module")
def owing(django_db_setup: None, databases: Databases, django_db_blocker: Any) -> Iterator[tuple[str, Office]]:
    """A database with an office in it that owes three holders something, one of them without an account."""
    name = databases.clone()
    with django_db_blocker.unblock(), using(name):
        office = make_office()
        office.policy()
        office.holder("A", 1_234_567)
        office.holder("B", 500_000)
        office.poor("C", 70_000)
    databases.freeze(name)
    yield name, office
    databases.drop(name)


@pytest.fixture
def committed_as(owing: tuple[str, Office]) -> str:
    return owing[0]


@pytest.fixture
def office(owing: tuple[str, Office], committed_db: Any) -> Office:
    return owing[1]


def to_pay(office: Office, out: Path) -> tuple[str, ...]:
    people = ("--as", "first@korea-web.example", "--approve-as", "second@korea-web.example")
    return (
        "pay",
        "--society",
        office.society.ref,
        "--on",
        timezone.localdate().isoformat(),
        *people,
        "--out",
        str(out),
    )


def ending() -> dict[str, Any]:
    """What a payout leaves when it is done, whatever came between."""
    batch = Batch.objects.get()
    return {
        "status": batch.status, "gross": batch.gross, "withheld": batch.withheld, "net": batch.net, "carried": batch.carried,
        "payments": list(Payment.objects.order_by("position").values_list("holder__ref", "gross", "net", "status")),
        "journals": Journal.objects.filter(kind="payout").count(),
    }  # fmt: skip


PAID = {
    "status": "sent", "gross": 1_734_567, "withheld": 40_730 + 16_500, "net": 1_677_337, "carried": 70_000,
    "payments": [("A", 1_234_567, 1_193_837, "sent"), ("B", 500_000, 483_500, "sent")], "journals": 1,
}  # fmt: skip


@pytest.mark.parametrize("point", POINTS)
def test_a_payout_killed_anywhere_is_ended_by_the_same_command(
    point: str, office: Office, commands: Commands, hold: Callable[..., Hold], tmp_path: Path
) -> None:
    status, where = POINTS[point]
    held = hold(where)
    held.kill(commands.start(to_pay(office, tmp_path / "killed.xml")))
    assert list(Batch.objects.values_list("status", flat=True)) == ([status] if status else [])
    assert Journal.objects.filter(kind="payout").count() == (1 if status == "ordered" else 0)
    sound()
    again = manage(*to_pay(office, tmp_path / "bank.xml"))
    assert ending() == PAID
    assert hashlib.sha256((tmp_path / "bank.xml").read_bytes()).hexdigest() == again["sha256"]
    copy = manage(*to_pay(office, tmp_path / "copy.xml"))
    assert (copy["copy"], copy["sha256"], copy["batch"]) == (True, again["sha256"], again["batch"])
    sound()


def start(office: Office) -> Batch:
    return services.start(actor=office.first, society=office.society, execute_on=timezone.localdate())


def test_started_twice_at_once_it_is_one_batch(office: Office, hold: Callable[..., Hold], aside: Aside) -> None:
    first, second = race(hold(STARTED), aside, lambda: start(office))
    assert first == second == Batch.objects.get()


def test_without_the_constraint_there_would_be_two(office: Office, hold: Callable[..., Hold], aside: Aside) -> None:
    """The control: the race is real."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX payout_batch_is_one_at_a_time")
    held = hold(STARTED)
    acts = [aside.begin(lambda: start(office)) for _ in range(2)]
    wait_until(lambda: len(held.held()) == 2)
    held.let_go()
    assert [code(act.result()) for act in acts] == ["done", "done"]
    assert Batch.objects.count() == 2


def test_even_two_batches_pay_the_same_money_once(office: Office, aside: Aside) -> None:
    """Should two be prepared over the same balances, the ledger lets one of them be ordered."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX payout_batch_is_one_at_a_time")
    batches = []
    for _ in range(2):
        batch = Batch.objects.create(society=office.society, currency="KRW", execute_on=timezone.localdate())
        batches.append(office.approved(services.prepare(batch.pk)))
    acts = [aside.begin(lambda batch=batch: services.order(batch.pk)) for batch in batches]
    outcomes = [code(act.result()) for act in acts]
    assert outcomes.count("done") == 1
    assert set(outcomes) & {"batch_is_stale", "overdrawn"}
    assert Journal.objects.filter(kind="payout").count() == 1
    sound()


def test_ordered_twice_at_once_it_has_one_journal(office: Office, hold: Callable[..., Hold], aside: Aside) -> None:
    batch = office.approved()
    first, second = race(hold(POSTED), aside, lambda: services.order(batch.pk))
    assert first.journal_id == second.journal_id == Journal.objects.get(kind="payout").pk
    sound()


def test_without_the_lock_the_key_still_keeps_the_money_single(
    office: Office, hold: Callable[..., Hold], aside: Aside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the second goes in beside the first, and only the ledger stops its money."""
    batch = office.approved()
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self.all())
    race(hold(POSTED), aside, lambda: services.order(batch.pk))
    assert Journal.objects.filter(kind="payout").count() == 1
    sound()


@pytest.mark.parametrize("approved_first", [True, False])
def test_approved_and_discarded_at_once_one_of_them_happens(
    approved_first: bool, office: Office, hold: Callable[..., Hold], aside: Aside
) -> None:
    batch = office.prepared()
    services.request(actor=office.first, batch=batch)
    acts = [
        lambda: services.approve(actor=office.second, batch=batch),
        lambda: services.discard(actor=office.first, batch=batch),
    ]
    held = hold("AFTER UPDATE ON royalties_batch FOR EACH ROW")
    first, second = race(held, aside, *(acts if approved_first else acts[::-1]))
    assert code(first) == "done"
    batch.refresh_from_db()
    if approved_first:
        # An approved batch can still be discarded; it is not ordered then.
        assert batch.status in ("approved", "discarded")
    else:
        assert (batch.status, code(second) != "done") == ("discarded", True)
    if batch.status == "discarded":
        assert code(aside.begin(lambda: services.order(batch.pk)).result()) == "batch_is_not_approved"
        assert not Journal.objects.filter(kind="payout").exists()
    sound()


def test_the_file_taken_twice_at_once_is_sent_once(office: Office, hold: Callable[..., Hold], aside: Aside) -> None:
    batch = office.ordered()
    held = hold("AFTER UPDATE ON royalties_batch FOR EACH ROW WHEN (NEW.status = 'sent')")
    outcomes = race(held, aside, lambda: office.take(batch))
    assert sorted(file.copy for file, _bytes in outcomes) == [False, True]
    assert outcomes[0][1] == outcomes[1][1]
    sound()


def test_without_the_lock_only_the_comparison_keeps_it_from_being_sent_twice(
    office: Office, hold: Callable[..., Hold], aside: Aside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: both read “not sent yet”, and the update of one of them finds it sent."""
    batch = office.ordered()
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self.all())
    held = hold("AFTER UPDATE ON royalties_batch FOR EACH ROW WHEN (NEW.status = 'sent')")
    outcomes = race(held, aside, lambda: office.take(batch))
    refused = [each for each in outcomes if isinstance(each, Exception)]
    assert [code(each) for each in refused] == ["batch_was_sent"]
    sound()


def test_an_answer_taken_in_twice_at_once_counts_once(office: Office, hold: Callable[..., Hold], aside: Aside) -> None:
    batch = office.sent()
    held = hold("AFTER INSERT ON royalties_answer FOR EACH ROW")
    first, second = race(held, aside, lambda: office.answer(batch, group="ACSC"))
    assert first.pk == second.pk
    assert Journal.objects.filter(kind="payout_settled").count() == 1
    sound()
