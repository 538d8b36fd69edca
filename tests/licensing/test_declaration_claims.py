"""One worker at a time, whichever dies: claims, signs of life, and the last claimant's right to store."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from licensing.declarations import core, services, settling, tasks
from licensing.declarations.models import Declaration, DeclaredUse
from licensing.permissions import snapshots
from licensing.permissions.services import grant_mandate
from licensing.repertoire.models import Holder
from tests.licensing.declaring import ISBN, PERIOD, Firm, counts, declare, firm, lines, uses

pytestmark = pytest.mark.django_db
GOOD = lines(f"isbn,{ISBN},1000")


@pytest.fixture
def received(db: Any) -> Declaration:
    parties = firm()
    made = services.start(actor=parties.declarant, licence=parties.licence, period=PERIOD, use="train", unit="token")
    services.attach(actor=parties.declarant, declaration=made, stream=io.BytesIO(GOOD), name="use.csv")
    return made


def silent_for(declaration: Declaration, seconds: int, **fields: Any) -> None:
    since = timezone.now() - dt.timedelta(seconds=seconds)
    Declaration.objects.filter(pk=declaration.pk).update(heartbeat_at=since, **fields)


def test_a_declaration_in_work_is_left_alone_until_its_worker_falls_silent(received: Declaration) -> None:
    silent_for(received, core.STALE_SECONDS - 5, status="processing", attempt=1)
    assert services.stalled() == []
    assert services.process(received.pk) is None
    silent_for(received, core.STALE_SECONDS + 5)
    assert services.stalled() == [received.pk]
    services.process(received.pk)
    again = Declaration.objects.get()
    assert (again.status, again.attempt) == ("processed", 2)
    assert services.stalled() == []


def test_a_received_declaration_whose_message_was_lost_is_found(received: Declaration) -> None:
    assert services.stalled() == []
    silent_for(received, core.STALE_SECONDS + 5)
    assert services.stalled() == [received.pk]


def test_beat_hands_stalled_work_out_again(received: Declaration, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[int] = []
    monkeypatch.setattr(tasks.process_declaration, "delay", handed.append)
    silent_for(received, core.STALE_SECONDS + 5)
    assert (tasks.resume_stalled(), handed) == (1, [received.pk])


def test_a_worker_that_was_taken_for_dead_stores_nothing(
    received: Declaration, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = settling.run

    def overtaken(*args: Any, **keys: Any) -> settling.Outcome:
        outcome = run(*args, **keys)
        Declaration.objects.filter(pk=received.pk).update(attempt=F("attempt") + 1)
        return outcome

    monkeypatch.setattr(settling, "run", overtaken)
    assert services.process(received.pk) is None
    assert Declaration.objects.get().status == "processing"
    assert DeclaredUse.objects.count() == 0


@pytest.mark.parametrize("broken", ["run", "store"])
def test_an_unforeseen_failure_leaves_nothing_and_is_tried_again_five_times(
    received: Declaration, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail(*args: Any, **keys: Any) -> Any:
        raise MemoryError("no memory")

    with monkeypatch.context() as patch:
        patch.setattr(settling, broken, fail)
        for attempt in range(1, 6):
            with pytest.raises(MemoryError):
                services.process(received.pk)
            now = Declaration.objects.get()
            assert (now.status, now.attempt, DeclaredUse.objects.count()) == ("received", attempt, 0)
    if broken == "run":
        services.process(received.pk)
        now = Declaration.objects.get()
        assert (now.status, [p["code"] for p in now.problems]) == ("failed", ["gave_up"])
    else:
        Declaration.objects.update(attempt=4)
        services.process(received.pk)
        assert Declaration.objects.get().status == "processed"


def test_a_snapshot_is_reused_until_anything_of_the_society_changes(db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    parties: Firm = firm()
    kept: list[str] = []
    keep = snapshots._keep
    monkeypatch.setattr(snapshots, "_keep", lambda *given: (kept.append(given[2]), keep(*given)))

    def declared(units: int) -> list[tuple[Any, ...]]:
        return uses(declare(parties, lines(f"proprietary,U-1,{units}")))

    assert declared(1)[0][1] == "unmandated"
    assert declared(2)[0][1] == "unmandated"
    assert len(kept) == 1
    grant_mandate(
        actor=parties.reviewer, holder=Holder.objects.get(ref="H3"), uses=["*"], valid_from=dt.date(2026, 1, 1)
    )
    assert declared(3)[0][1] == "licensed"
    assert len(kept) == 2


def test_a_declaration_counts_what_the_register_says_now(db: Any) -> None:
    parties = firm()
    made = declare(parties, lines("domain,new.example.com,5"))
    assert counts(made) == {"unmatched": 1}
    from tests.licensing.repertoire_files import bring

    bring(parties.society, "works", "NEW,web,New,domain:new.example.com")
    bring(parties.society, "shares", "NEW,H1,author,1/1,,")
    again = declare(parties, lines("domain,new.example.com,6"))
    assert counts(again) == {"licensed": 1}
