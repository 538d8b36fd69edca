"""An import killed with `kill -9`, or asked for twice at once: nothing half imported, nothing imported twice."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts.identity.core import SYSTEM
from accounts.organisations.models import Organisation
from config.demo import repertoire
from config.demo.story import manage
from licensing.intake.models import Import
from licensing.permissions.models import Mandate
from licensing.permissions.services import imports
from licensing.permissions.tasks import resume_stalled, run_import
from licensing.repertoire.models import Holder, Identifier, Share, Work
from tests.accounts.people import organisation
from tests.concurrency.holds import Hold
from tests.concurrency.scene import Commands, ended, sound
from tests.processes import Running

# What is held in the middle, and what must not be there after the process died.
POINTS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "holders": ("licensing_holder", (Holder,)),
    "works": ("licensing_identifier", (Work, Identifier)),
    "shares": ("licensing_share", (Share,)),
    "mandates": ("licensing_mandate", (Mandate,)),
}
WORKS = 40


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The import files of some renewed books with their real claimants."""
    folder = tmp_path_factory.mktemp("literary")
    whole = repertoire.write_literary_society(folder)
    rows = {kind: list(csv.reader(path.read_text("utf-8").splitlines())) for kind, path in whole.items()}
    works = [row for row in rows["works"][1:] if row[0][0] == "A"][:WORKS]
    shares = [row for row in rows["shares"][1:] if row[0] in {work[0] for work in works}]
    holders = {row[1] for row in shares}
    kept = {"works": works, "shares": shares}
    kept |= {kind: [row for row in rows[kind][1:] if row[0] in holders] for kind in ("holders", "mandates")}
    return {kind: repertoire.write_csv(folder / f"{kind}.csv", rows[kind][0], kept[kind]) for kind in POINTS}


@pytest.fixture
def society(committed_db: Any) -> Organisation:
    return organisation("LITERARY", "society")


def bring(files: dict[str, Path], *kinds: str) -> None:
    for kind in kinds:
        manage(*told(files, kind))


def told(files: dict[str, Path], kind: str) -> tuple[str, ...]:
    return (f"import_{kind}", str(files[kind]), "--society", "LITERARY")


def of(society: Organisation, *models: Any) -> int:
    """Rows of the society in these tables."""
    paths = {Share: "work__society", Mandate: "society"}
    return sum(model.objects.filter(**{paths.get(model, "society"): society}).count() for model in models)


@pytest.mark.parametrize("kind", POINTS)
def test_an_import_killed_in_the_middle_leaves_nothing_and_the_next_takes_all(
    kind: str, files: dict[str, Path], society: Organisation, commands: Commands, hold: Callable[..., Hold]
) -> None:
    before = list(POINTS)[: list(POINTS).index(kind)]
    bring(files, *before)
    table, models = POINTS[kind]
    held = hold(f"AFTER INSERT ON {table} FOR EACH ROW")
    held.kill(commands.start(told(files, kind)))
    assert of(society, *models) == 0
    first, second = manage(*told(files, kind)), manage(*told(files, kind))
    assert (first["read"], first["created"], first["rejected"]) == (first["read"], first["read"], 0)
    assert (second["created"], second["updated"], second["unchanged"]) == (0, 0, first["read"])
    sound()


def test_two_commands_at_once_import_once(
    files: dict[str, Path], society: Organisation, commands: Commands, hold: Callable[..., Hold]
) -> None:
    held = hold("AFTER INSERT ON licensing_holder FOR EACH ROW")
    first = commands.start(told(files, "holders"))
    held.reached(first)
    second = commands.start(told(files, "holders"))
    held.queued(second)
    held.let_go()
    results = ended(first), ended(second)
    read = results[0]["read"]
    assert [(each["created"], each["unchanged"]) for each in results] == [(read, 0), (0, read)]
    assert of(society, Holder) == read


def test_an_import_whose_worker_was_killed_is_handed_to_the_next(
    files: dict[str, Path], society: Organisation, start_worker: Callable[..., Running], hold: Callable[..., Hold]
) -> None:
    bring(files, "holders")
    with files["works"].open("rb") as stream:
        asked = imports.request_import(actor=SYSTEM, society=society, kind="works", stream=stream, name="works.csv")
    held = hold("AFTER INSERT ON licensing_identifier FOR EACH ROW")
    run_import.delay(asked.pk)
    held.kill(start_worker())
    asked.refresh_from_db()
    assert (asked.status, of(society, Work)) == ("running", 0)

    Import.objects.filter(pk=asked.pk).update(requested_at=timezone.now() - dt.timedelta(minutes=5))
    resume_stalled.delay()
    worker = start_worker()
    worker.wait_until(lambda: Import.objects.get(pk=asked.pk).status == "done")
    assert of(society, Work) == WORKS
    run_import(asked.pk)  # the message comes again
    done = Import.objects.get(pk=asked.pk)
    assert (done.read, done.created, done.unchanged) == (WORKS, WORKS, 0)
