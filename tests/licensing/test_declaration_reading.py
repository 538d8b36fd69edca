"""Files of a declaration, each read by whoever is free: what is read is not read again, what is bad is named, what is stopped goes on."""

from __future__ import annotations

import errno
import io
from typing import Any

import duckdb
import pytest
from django.db.models import Sum

from accounts.evidence.models import Event
from accounts.identity.core import Conflict, NotFound, Refusal
from licensing.declarations import core, grouping, services, settling, tasks
from licensing.declarations.models import Declaration, DeclarationFile, DeclaredUse
from licensing.declarations.services import reading
from licensing.intake import services as intake
from tests.licensing.declaring import ISBN, PERIOD, Firm, counts, declare, firm, lines, uses
from tests.licensing.parties import licence, organisation, staff

pytestmark = pytest.mark.django_db
BOOK, WIKI, NEWS = lines(f"isbn,{ISBN},1000"), lines("domain,wikipedia.org,7"), lines("domain,news.example.co.kr,20")
BAD, WORSE = b"isbn,quantity\n1,2\n", b"identifier_type,identifier,units\n"


@pytest.fixture
def parties(db: Any) -> Firm:
    return firm()


def attach(of: Firm, made: Declaration, data: bytes, name: str = "use.csv") -> DeclarationFile:
    return services.attach(actor=of.declarant, declaration=made, stream=io.BytesIO(data), name=name)


def received(of: Firm, *files: bytes) -> Declaration:
    made = services.start(actor=of.declarant, licence=of.licence, period=PERIOD, use="train", unit="token")
    for n, data in enumerate(files, 1):
        attach(of, made, data, f"part-{n}.csv")
    return made


def now(made: Declaration) -> Declaration:
    return Declaration.objects.get(pk=made.pk)


def by_file(made: Declaration) -> list[tuple[str, int]]:
    return list(made.files.order_by("position").values_list("status", "attempt"))


def sums_agree(made: Declaration) -> bool:
    """Lines by status are the stored uses and the rejects, and together the files."""
    stored = DeclaredUse.objects.filter(declaration=made).aggregate(n=Sum("lines"))["n"]
    files = made.files.aggregate(lines=Sum("lines"), rejected=Sum("rejected"))
    return now(made).lines["total"] == files["lines"] == stored + files["rejected"]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is really read, by the name that it lies under."""
    seen: list[str] = []
    read = grouping.read

    def noted(engine: Any, path: Any, *args: Any, **keys: Any) -> Any:
        seen.append(str(path))
        return read(engine, path, *args, **keys)

    monkeypatch.setattr(grouping, "read", noted)
    return seen


# Read one by one, settled once.


def test_each_file_is_read_by_itself_and_the_last_to_end_calls_for_the_rest(parties: Firm) -> None:
    made = received(parties, BOOK, WIKI, NEWS)
    first, second, third = services.to_read(made.pk)
    assert services.read_file(second) is None and services.read_file(first) is None
    assert services.settle(made.pk) is None, "a file is not read yet"
    assert (now(made).status, now(made).step, now(made).lines_read) == ("processing", "intake", 2)
    assert services.read_file(third) == made.pk
    assert services.settle(made.pk) is not None
    assert counts(now(made)) == {"licensed": 3} and sums_agree(made)
    assert by_file(made) == [("read", 1)] * 3


def test_a_file_in_work_is_nobody_elses_and_settling_is_done_once(parties: Firm) -> None:
    made = received(parties, BOOK)
    [file] = services.to_read(made.pk)
    services.read_file(file)
    assert services.to_read(made.pk) == []
    assert services.read_file(file) is None, "it is read"
    assert services.settle(made.pk) is not None
    assert services.settle(made.pk) is None and services.process(made.pk) is None
    assert uses(made) == [("B", "licensed", "licence", 1000, 1)]


def test_several_files_go_to_workers_one_by_one_and_a_single_one_is_done_at_once(
    parties: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, int]] = []
    monkeypatch.setattr(tasks, "send", lambda task, number: sent.append((task.name.rpartition(".")[2], number)))
    made = received(parties, BOOK, WIKI)
    files = list(made.files.order_by("position").values_list("pk", flat=True))
    tasks.process_declaration(made.pk)
    assert sent == [("read_file", files[0]), ("read_file", files[1])]
    tasks.read_file(files[1]), tasks.read_file(files[0])
    assert sent[2:] == [("settle", made.pk)]
    tasks.settle(made.pk)
    assert counts(now(made)) == {"licensed": 2}
    single = received(parties, NEWS)
    tasks.process_declaration(single.pk)
    assert now(single).status == "processed" and len(sent) == 3


def test_a_file_may_be_added_while_others_are_read_but_not_while_the_result_is_worked_out(parties: Firm) -> None:
    made = received(parties, BOOK)
    services.read_file(services.to_read(made.pk)[0])
    attach(parties, made, WIKI, "later.csv")
    assert (now(made).status, now(made).step) == ("processing", "intake")
    Declaration.objects.filter(pk=made.pk).update(step="match")
    with pytest.raises(Conflict, match="being processed"):
        attach(parties, made, NEWS, "too-late.csv")
    Declaration.objects.filter(pk=made.pk).update(step="intake")
    services.process(made.pk)
    assert counts(now(made)) == {"licensed": 2} and by_file(made) == [("read", 1), ("read", 1)]


# What was read before.


def test_what_was_read_before_under_the_same_terms_is_not_read_again(parties: Firm, reads: list[str]) -> None:
    bad = lines(f"isbn,{ISBN},5", "isbn,nonsense,6")
    made = declare(parties, bad, submit=True)
    assert len(reads) == 1
    amended = services.amend(actor=parties.declarant, declaration=made)
    attach(parties, amended, bad)
    attach(parties, amended, WIKI, "more.csv")
    services.process(amended.pk)
    assert len(reads) == 2, "the new file alone"
    assert counts(now(amended)) == {"licensed": 2, "rejected": 1} and sums_agree(amended)
    first, again = made.files.get(), amended.files.order_by("position").first()
    assert again and (again.groups_id, again.rejects_id, again.lines, again.rejected, again.rejected_units) == (
        first.groups_id, first.rejects_id, 2, 1, 6,
    )  # fmt: skip


def test_other_terms_or_another_firm_read_it_anew(parties: Firm, reads: list[str]) -> None:
    declare(parties, BOOK)
    declare(parties, BOOK, use="finetune", period=(PERIOD[0], PERIOD[1].replace(month=3)))
    declare(parties, BOOK, period=(PERIOD[0], PERIOD[1].replace(month=7)))
    assert len(reads) == 3
    other = organisation("OTHER-AI", "licensee")
    theirs = Firm(
        parties.society, other, licence(parties.society, other, parties.licence.tariff.versions.get(), ref="L-2")
    )
    declare(theirs, BOOK)
    assert len(reads) == 4


def test_groups_that_are_gone_from_storage_are_made_again(parties: Firm, reads: list[str]) -> None:
    made = declare(parties, BOOK)
    groups = made.files.get().groups
    assert groups is not None
    intake.path_of(groups).unlink()
    assert declare(parties, BOOK, period=PERIOD, reference="again").pk == made.pk
    amended = services.amend(actor=parties.declarant, declaration=declare(parties, BOOK, submit=True))
    attach(parties, amended, BOOK)
    services.process(amended.pk)
    assert now(amended).status == "processed" and len(reads) == 2


# Bad files.


def test_all_bad_files_are_named_with_what_is_wrong_with_each(parties: Firm) -> None:
    made = received(parties, BOOK, BAD, WORSE)
    services.process(made.pk)
    failed = now(made)
    assert failed.status == "failed"
    assert [(problem["code"], problem.get("file")) for problem in failed.problems[:2]] == [
        ("files_failed", None),
        ("missing_columns", "part-2.csv"),
    ]
    assert "2 of 3 files could not be read: part-2.csv, part-3.csv." in failed.problems[0]["detail"]
    assert {problem.get("file") for problem in failed.problems[1:]} == {"part-2.csv", "part-3.csv"}
    assert [status for status, _attempt in by_file(made)] == ["read", "failed", "failed"]
    assert not DeclaredUse.objects.exists()


def test_a_file_sent_after_failure_stands_in_for_the_bad_ones_and_the_good_ones_stay(
    parties: Firm, reads: list[str]
) -> None:
    made = received(parties, BOOK, BAD)
    services.process(made.pk)
    attach(parties, made, WIKI, "better.csv")
    services.process(made.pk)
    assert counts(now(made)) == {"licensed": 2} and now(made).problems == []
    assert len(reads) == 3, "the good one once, the bad one once, the better one once"


# Faults: a full disk, a poisonous file, a broker that is away.


@pytest.mark.parametrize(
    "fault",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        duckdb.IOException('IO Error: Could not write file "…/spill": No space left on device'),
        duckdb.OutOfMemoryException(
            "failed to offload data block (1 GB/1 GB used). … set by 'max_temp_directory_size'"
        ),
    ],
    ids=["ours", "spill", "spill limit"],
)
@pytest.mark.parametrize("where", ["groups", "keep", "settle"])
def test_a_full_disk_is_said_and_waited_for_and_nothing_is_counted_twice(
    parties: Firm, monkeypatch: pytest.MonkeyPatch, where: str, fault: Exception
) -> None:
    owner, name = {"groups": (grouping, "read"), "keep": (intake, "keep"), "settle": (settling, "run")}[where]
    made = received(parties, BOOK, WIKI)

    def full(*_args: Any, **_keys: Any) -> Any:
        raise fault

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, full)
        assert services.process(made.pk) is None
    waiting = now(made)
    assert waiting.status in ("received", "processing") and waiting.lines == {}
    assert [problem["code"] for problem in waiting.problems] == ["no_space"]
    assert "The disk of this installation is full." in waiting.problems[0]["detail"]
    assert services.process(made.pk) is not None
    assert counts(now(made)) == {"licensed": 2} and sums_agree(made) and now(made).problems == []


def test_a_disk_that_stays_full_fails_it_in_the_end_and_it_can_be_started_again(
    parties: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = received(parties, BOOK)

    def full(*_args: Any, **_keys: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(grouping, "read", full)
        for _attempt in range(core.MOST_ATTEMPTS + 1):
            services.process(made.pk)
    assert now(made).status == "failed"
    assert "start again once there is room" in now(made).problems[0]["detail"]
    services.resume(actor=parties.declarant, declaration=made)
    services.process(made.pk)
    assert counts(now(made)) == {"licensed": 1}


def test_a_file_that_kills_every_reader_is_given_up_and_named(parties: Firm) -> None:
    made = received(parties, BOOK, WIKI)
    services.to_read(made.pk)
    poison = made.files.get(position=1)
    DeclarationFile.objects.filter(pk=poison.pk).update(attempt=core.MOST_ATTEMPTS)
    services.process(made.pk)
    assert [(problem["code"], problem.get("file")) for problem in now(made).problems] == [
        ("files_failed", None),
        ("gave_up", "part-2.csv"),
    ]


def test_without_a_broker_nothing_is_lost(parties: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: Any) -> None:
        raise ConnectionError("the broker is away")

    for task in (tasks.process_declaration, tasks.read_file, tasks.settle):
        monkeypatch.setattr(task, "delay", away)
    made = received(parties, BOOK, WIKI)
    tasks.process_declaration(made.pk)  # its files cannot be handed out
    for file in made.files.all():
        tasks.read_file(file.pk)  # and the last one cannot call for settling
    assert now(made).status == "processing"
    _silent(made)
    assert services.stalled() == [made.pk]
    services.process(made.pk)
    assert counts(now(made)) == {"licensed": 2} and sums_agree(made)


def _silent(made: Declaration) -> None:
    long_ago = reading.silent_since().replace(year=2000)
    Declaration.objects.filter(pk=made.pk).update(heartbeat_at=long_ago)
    made.files.update(heartbeat_at=long_ago)


def test_a_silent_reader_is_found_while_others_go_on(parties: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    made = received(parties, BOOK, WIKI)
    dead, alive = services.to_read(made.pk)
    made.files.filter(pk=dead).update(status="reading", attempt=1)
    _silent(made)
    made.files.filter(pk=alive).update(status="reading", heartbeat_at=reading.timezone.now())
    assert services.stalled() == [], "somebody reads"
    assert services.stalled_files() == [dead]
    handed: list[int] = []
    monkeypatch.setattr(tasks.read_file, "delay", handed.append)
    assert (tasks.resume_stalled(), handed) == (1, [dead])


# Stopped and started again.


def test_processing_can_be_stopped_and_started_again_without_reading_twice(parties: Firm, reads: list[str]) -> None:
    made = received(parties, BOOK, WIKI)
    services.read_file(services.to_read(made.pk)[0])
    stopped = services.cancel(actor=parties.declarant, declaration=made)
    assert (stopped.status, stopped.files.count(), DeclaredUse.objects.count()) == ("draft", 2, 0)
    assert services.process(made.pk) is None and services.to_read(made.pk) == []
    assert services.cancel(actor=parties.declarant, declaration=made).status == "draft"
    assert services.resume(actor=parties.declarant, declaration=made).status == "received"
    services.process(made.pk)
    assert counts(now(made)) == {"licensed": 2} and len(reads) == 2
    told = Event.objects.about("declaration", made.pk).order_by("id").values_list("verb", flat=True)
    assert [verb for verb in told if verb.endswith(("cancelled", "restarted"))] == [
        "declaration.cancelled",
        "declaration.restarted",
    ]


def test_whoever_reads_or_settles_when_it_is_stopped_stores_nothing(
    parties: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = received(parties, BOOK)
    read, run = grouping.read, settling.run

    def stop(of: Any) -> Any:
        def stopped(*args: Any, **keys: Any) -> Any:
            services.cancel(actor=parties.declarant, declaration=made)
            return of(*args, **keys)

        return stopped

    with monkeypatch.context() as patch:
        patch.setattr(grouping, "read", stop(read))
        assert services.process(made.pk) is None
    assert (now(made).status, by_file(made)) == ("draft", [("waiting", 0)])
    services.resume(actor=parties.declarant, declaration=made)
    with monkeypatch.context() as patch:
        patch.setattr(settling, "run", stop(run))
        assert services.process(made.pk) is None
    assert now(made).status == "draft" and not DeclaredUse.objects.exists()
    declared = services.submit(actor=parties.declarant, declaration=made)  # handing it in starts it again
    assert (declared.status, declared.submit_when_processed) == ("received", True)
    services.process(made.pk)
    assert now(made).status == "accepted"


def test_only_what_is_in_work_is_stopped_and_only_what_was_stopped_is_started(parties: Firm) -> None:
    made = declare(parties, BOOK)
    with pytest.raises(Conflict, match="nothing to stop"):
        services.cancel(actor=parties.declarant, declaration=made)
    with pytest.raises(Conflict, match="stopped or has failed"):
        services.resume(actor=parties.declarant, declaration=made)
    empty = received(parties)
    with pytest.raises(Refusal, match="Attach a file first"):
        services.resume(actor=parties.declarant, declaration=empty)
    with pytest.raises(NotFound):
        services.cancel(actor=staff(organisation("OTHER-AI", "licensee"), "declarations.declare"), declaration=made)


# How far it is.


def test_progress_counts_bytes_and_lines_by_file(parties: Firm) -> None:
    made = received(parties, BOOK, WIKI, BAD)
    first, _second, third = services.to_read(made.pk)
    services.read_file(first), services.read_file(third)
    told = services.progress_of(now(made))
    assert (told.bytes, told.bytes_read) == (len(BOOK) + len(WIKI) + len(BAD), len(BOOK) + len(BAD))
    assert (told.files, told.files_read, told.files_failed, told.lines_read) == (3, 1, 1, 1)
    assert [(file.name, file.status, file.percent) for file in told.each] == [
        ("part-3.csv", "failed", 100),
        ("part-2.csv", "waiting", 0),
        ("part-1.csv", "read", 100),
    ]
    assert told.seconds_left is None, "after so short a time nothing can be said"
    made.files.filter(started_at__isnull=False).update(started_at=reading.silent_since())
    later = services.progress_of(now(made))
    assert later.bytes_a_second == (len(BOOK) + len(BAD)) // core.STALE_SECONDS
    assert later.seconds_left and later.seconds_left >= len(WIKI)
