"""Imports at the same time, and imports whose process is killed: nothing twice, nothing half."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.identity.core import SYSTEM
from accounts.organisations.models import Organisation
from licensing.intake import importing
from licensing.intake.models import Import
from licensing.permissions.services import imports
from licensing.repertoire import services
from licensing.repertoire.models import Holder, Identifier, Share, Work
from tests.licensing.repertoire_files import bring, counts
from tests.together import together

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def society(committed_db: Any) -> Organisation:
    return Organisation.objects.create(ref="SOC", kind="society", name="Soc")


ROWS = [f"W{n:05},book,Work {n},proprietary:P{n}" for n in range(3000)]


def test_the_same_file_twice_together(society: Organisation) -> None:
    results = together(*[lambda: counts(bring(society, "works", *ROWS))] * 3)
    assert sorted(results) == [(3000, 0, 0, 3000, 0), (3000, 0, 0, 3000, 0), (3000, 3000, 0, 0, 0)]
    assert (Work.objects.count(), Identifier.objects.count()) == (3000, 3000)


def test_without_the_lock_the_race_is_seen(society: Organisation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "serialised", lambda society: None)
    for attempt in range(5):
        rows = [f"{attempt}{row}".replace("P", f"P{attempt}-") for row in ROWS]
        results = together(*[lambda rows=rows: counts(bring(society, "works", *rows))] * 3)
        if any(isinstance(result, IntegrityError) for result in results):
            return
    pytest.fail("three imports of the same works at once never met")


def test_two_people_add_overlapping_shares_together(society: Organisation) -> None:
    bring(society, "holders", "A,Ada")
    bring(society, "works", "W1,book,One,")
    work, holder = Work.objects.get(), Holder.objects.get()

    def add() -> Any:
        with transaction.atomic():
            share = Share.objects.create(work=work, holder=holder, ppm=1, valid=("2026-01-01", None))
            time.sleep(0.2)
            return share

    results = together(add, add)
    assert sorted(isinstance(result, IntegrityError) for result in results) == [False, True]
    assert Share.objects.count() == 1


def test_one_import_asked_for_is_done_once_by_two_workers(society: Organisation) -> None:
    data = ("work_ref,kind,title,identifiers\n" + "\n".join(ROWS)).encode()
    made = imports.request_import(actor=SYSTEM, society=society, kind="works", stream=io.BytesIO(data), name="w.csv")
    assert together(lambda: imports.run(made.pk), lambda: imports.run(made.pk)) == [None, None]
    made.refresh_from_db()
    assert (made.status, made.created, made.unchanged) == ("done", 3000, 0)


KILLED = """
import os, sys, django
django.setup()
from django.db import connection
from licensing.intake.importing import Stage
from licensing.permissions.services import imports
finish = Stage.finish
def stuck(self, *args, **keys):
    print("written", flush=True)
    import time; time.sleep(60)
Stage.finish = stuck
imports.run(int(sys.argv[1]))
"""


def test_a_worker_killed_in_an_import_leaves_nothing_half_done(society: Organisation, committed_db: Any) -> None:
    data = ("work_ref,kind,title,identifiers\n" + "\n".join(ROWS)).encode()
    made = imports.request_import(actor=SYSTEM, society=society, kind="works", stream=io.BytesIO(data), name="w.csv")
    from django.conf import settings

    environment = os.environ | committed_db.environment | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    environment["JEONGSAN_VAR"] = str(settings.VAR_DIR)
    command = [sys.executable, "-c", KILLED, str(made.pk)]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "written"
        process.send_signal(signal.SIGKILL)
    made.refresh_from_db()
    assert made.status == "running"
    assert not Work.objects.exists()
    imports.run(made.pk)
    made.refresh_from_db()
    assert (made.status, made.created) == ("done", 3000)
    assert Work.objects.count() == 3000
    assert Import.objects.count() == 1


def test_set_shares_waits_for_an_import(society: Organisation) -> None:
    bring(society, "holders", "A,Ada", "B,Bo")
    bring(society, "works", "W1,book,One,")
    work = Work.objects.get()

    def by_hand() -> Any:
        lines = [services.ShareLine("A", "1/2")]
        return services.set_shares(actor=SYSTEM, work=work, lines=lines)

    results = together(by_hand, lambda: counts(bring(society, "shares", "W1,A,,1/2,,", "W1,B,,1/2,,")))
    assert not any(isinstance(result, Exception) for result in results)
    assert Share.objects.filter(holder__ref="A").count() == 1
