"""All statements of a run as ZIP files: each once, in parts, the same bytes whoever writes them, for the society alone."""

from __future__ import annotations

import datetime
import io
import zipfile
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.identity.core import SYSTEM, NotFound, Refusal
from licensing.intake.services import path_of
from royalties.distribution import services as distribution
from royalties.distribution.models import Run
from royalties.statements import services
from royalties.statements.models import ArchivePart, Statement
from royalties.statements.services import archives
from tests.accounts import people
from tests.royalties.world import QUARTER, World, make_world, worked_example


@pytest.fixture
def world(db: None) -> World:
    made = make_world()
    made.rule()
    worked_example(made)
    return made


def posted(world: World) -> Run:
    run = distribution.compute(distribution.start_run(actor=world.computer, society=world.society, period=QUARTER).pk)
    distribution.request(actor=world.computer, run=run)
    return distribution.post(distribution.approve(actor=world.approver, run=run).pk)


@pytest.fixture
def run(world: World) -> Run:
    return services.publish(actor=world.approver, run=posted(world))


def names(part: ArchivePart) -> list[str]:
    part.refresh_from_db()
    assert part.file is not None
    with zipfile.ZipFile(path_of(part.file)) as file:
        return file.namelist()


def test_every_statement_lies_in_exactly_one_part(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "A_PART", 2)
    archive = archives.ask_archive(actor=SYSTEM, run=run, form="json", language="ko")
    parts = list(archive.parts.order_by("number"))
    count = Statement.objects.filter(run=run).count()
    assert count > 2 and [part.number for part in parts] == list(range(1, (count + 1) // 2 + 1))
    assert all(archives.write_part(part.pk) for part in parts)
    told = [name for part in parts for name in names(part)]
    assert len(told) == len(set(told)) == count == sum(part.statements for part in parts)
    assert archives.waiting_parts(archive=archive) == []


def test_asked_for_twice_it_is_made_once(run: Run) -> None:
    first = archives.ask_archive(actor=SYSTEM, run=run, form="csv", language="en")
    assert archives.ask_archive(actor=SYSTEM, run=run, form="csv", language="en") == first
    part = first.parts.get()
    assert archives.write_part(part.pk) and not archives.write_part(part.pk)


def test_a_killed_part_is_begun_anew_and_gives_the_same_bytes(run: Run) -> None:
    archive = archives.ask_archive(actor=SYSTEM, run=run, form="pdf", language="ko")
    part = archive.parts.get()
    ArchivePart.objects.filter(pk=part.pk).update(status="running", attempt=1, done=1, heartbeat_at=timezone.now())
    assert archives.waiting_parts() == [] and not archives.write_part(part.pk)
    long_ago = timezone.now() - archives.QUIET - datetime.timedelta(seconds=1)
    ArchivePart.objects.filter(pk=part.pk).update(heartbeat_at=long_ago)
    assert archives.waiting_parts() == [part.pk] and archives.write_part(part.pk)
    part.refresh_from_db()
    before = part.file
    ArchivePart.objects.filter(pk=part.pk).update(status="waiting", file=None)
    assert archives.write_part(part.pk)
    part.refresh_from_db()
    assert part.file == before and part.attempt == 3


def test_who_was_taken_for_dead_writes_nothing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    part = archives.ask_archive(actor=SYSTEM, run=run, form="csv", language="ko").parts.get()
    write = archives._write

    def taken_over(part: ArchivePart, attempt: int, path: Path) -> None:
        write(part, attempt, path)
        ArchivePart.objects.filter(pk=part.pk).update(attempt=attempt + 1)

    monkeypatch.setattr(archives, "_write", taken_over)
    assert not archives.write_part(part.pk)
    part.refresh_from_db()
    assert part.status == "running" and part.file is None


def test_a_run_that_is_not_published_has_none(world: World) -> None:
    run = posted(world)
    with pytest.raises(Refusal) as refused:
        archives.ask_archive(actor=SYSTEM, run=run, form="pdf", language="ko")
    assert refused.value.code == "run_is_not_published"


@pytest.mark.parametrize("form,language", [("exe", "ko"), ("pdf", "fr"), ("", "")])
def test_an_unknown_kind_is_refused(run: Run, form: str, language: str) -> None:
    with pytest.raises(Refusal):
        archives.ask_archive(actor=SYSTEM, run=run, form=form, language=language)


def test_only_the_society_takes_them_away(world: World, run: Run) -> None:
    other = people.actor(people.organisation("OTHER", "society"), "finance")
    with pytest.raises(NotFound):
        archives.ask_archive(actor=other, run=run, form="pdf", language="ko")
    part = archives.ask_archive(actor=SYSTEM, run=run, form="csv", language="ko").parts.get()
    archives.write_part(part.pk)
    own, stranger = Client(), Client()
    own.force_login(people.person(world.society, "auditor"))
    stranger.force_login(people.person(people.organisation("THIRD", "society"), "administrator"))
    url = reverse("royalties:archive_part", args=[part.pk])
    answer = own.get(url)
    content = b"".join(answer.streaming_content)
    assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None
    assert stranger.get(url).status_code == 404
    page = own.get(reverse("royalties:run_archives", args=[run.pk]))
    assert url in page.content.decode()
    assert stranger.get(reverse("royalties:run_archives", args=[run.pk])).status_code == 404
