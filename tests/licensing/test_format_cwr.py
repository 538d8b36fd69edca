"""CWR files: works, shares and holders of a sender, structure held to its counts, and the acknowledgement that answers."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from accounts.identity.core import SYSTEM, Refusal
from accounts.organisations.models import Organisation
from licensing.intake import services as intake
from licensing.intake.core import Limits
from licensing.intake.formats.cwr import acknowledgement
from licensing.intake.formats.cwr.acknowledgement import Answer
from licensing.intake.formats.cwr.works import Registration, WorksFile
from licensing.intake.importing import ImportResult
from licensing.intake.models import Import
from licensing.repertoire import services
from licensing.repertoire.core import Part, parse_share, ppm_of
from licensing.repertoire.importing import cwr
from licensing.repertoire.models import Holder, Identifier, Share, Work, WorkAlias
from tests.licensing.cwr_files import ADA, BO, HDR, ISWC, Publisher, Song, Writer, file
from tests.licensing.parties import organisation
from tests.licensing.repertoire_files import bring, counts, refused

REF = "CWR-000123456-1"


@pytest.fixture
def society(db: Any) -> Organisation:
    return organisation("KOMCA", "society")


def send(society: Organisation, data: bytes) -> tuple[ImportResult, list[Answer]]:
    stored = intake.keep(actor=SYSTEM, stream=io.BytesIO(data), name="CW260001.V21", organisation=society)
    result = services.import_cwr(actor=SYSTEM, society=society, file=stored)
    answer = Import.objects.get(pk=result.id).answer
    assert answer is not None
    return result, list(acknowledgement.read(intake.path_of(answer), Limits()))


def shares(ref: str = REF) -> list[tuple[str, str, int]]:
    found = Share.objects.filter(work__ref=ref).order_by("holder__ref", "role")
    return [(share.holder.ref, share.role, share.ppm) for share in found.select_related("holder")]


def read(folder: Path, data: bytes) -> list[Registration]:
    path = folder / "in.cwr"
    path.write_bytes(data)
    return list(WorksFile(path, Limits()).registrations())


def test_a_registration_becomes_a_work_with_everything_it_says(society: Organisation) -> None:
    song = Song(
        parties=[Writer(share=3333), Writer("W2", "LEE", "HO", "", 1667, "A"), Publisher(share=5000)],
        iswc=ISWC, titles=["HIER", "YESTERDAY"], isrc="USS1Z1412345", more=["XRF########@@@@@@@@021000000000042  WY"],
    )  # fmt: skip
    result, [answer] = send(society, file(song))
    assert counts(result) == (1, 1, 0, 0, 0)
    work = Work.objects.get()
    assert (work.ref, work.kind, work.title, work.creators, work.language, work.published) == (
        REF, "music", "YESTERDAY", "ADA LOVELACE; HO LEE", "en", "1965-08-06",
    )  # fmt: skip
    assert {str(i) for i in Identifier.objects.all()} >= {f"iswc:{ISWC}", "isrc:USS1Z1412345", f"proprietary:{REF}"}
    assert [alias.title for alias in WorkAlias.objects.all()] == ["HIER"]
    assert shares() == [
        ("CWR-000123456-W2", "author", 166_700),
        (f"IPI-{ADA}", "composer and author", 333_300),
        (f"IPI-{BO}", "publisher", 500_000),
    ]
    assert dict(Holder.objects.values_list("ref", "kind"))[f"IPI-{BO}"] == "organisation"
    assert (answer.status, answer.number, answer.type, answer.messages) == ("AS", "1", "NWR", ())


@given(st.lists(st.integers(1, 9_999), min_size=1, max_size=6))
def test_hundredths_of_a_percent_are_parts_per_million_exactly(parts: list[int]) -> None:
    stated = [Part(f"H{n}", "", parse_share(f"{part * 100}ppm")) for n, part in enumerate(parts)]
    assert ppm_of(stated) == [part * 100 for part in parts]


def test_the_same_file_twice_changes_nothing_and_a_revision_replaces_the_shares(society: Organisation) -> None:
    first = file(Song(parties=[Writer(), Writer("W2", share=0, other=True)]))
    send(society, first)
    assert counts(send(society, first)[0]) == (1, 0, 0, 1, 0)
    revised = Song(kind="REV", title="TOMORROW", parties=[Writer(share=4000), Writer("W9", "PARK", "SO", "", 6000)])
    result, [answer] = send(society, file(revised, group="REV"))
    assert counts(result) == (1, 0, 1, 0, 0)
    assert shares() == [
        ("CWR-000123456-W9", "composer and author", 600_000),
        (f"IPI-{ADA}", "composer and author", 400_000),
    ]
    gone = Song(kind="REV", title="TOMORROW", parties=[Writer()])
    send(society, file(gone, group="REV"))
    assert shares() == [(f"IPI-{ADA}", "composer and author", 1_000_000)]
    assert answer.status == "AS"


def test_members_and_works_that_the_society_has_already_are_found(society: Organisation) -> None:
    bring(society, "holders", f"M-1,Ada Lovelace,{ADA}", header="holder_ref,name,ipi")
    bring(society, "works", f"W-1,music,Gestern,iswc:{ISWC}")
    bring(society, "shares", "W-1,M-1,author,60%,,")
    result, [answer] = send(society, file(Song(iswc=ISWC)))
    assert counts(result) == (1, 0, 1, 0, 0)
    assert Work.objects.get().title == "Gestern"
    assert [alias.title for alias in WorkAlias.objects.all()] == ["YESTERDAY"]
    assert shares("W-1") == [("M-1", "author", 600_000), ("M-1", "composer and author", 1_000_000)]
    assert (answer.status, answer.recipient_number) == ("CO", "W-1")
    assert Holder.objects.get().name == "Ada Lovelace"


def test_each_transaction_is_answered_and_each_refusal_told(society: Organisation) -> None:
    songs = [
        Song("1"),
        Song("2", title=""),
        Song("3", parties=[Writer(share=9000)]),
        Song("4", iswc="T0345246802"),
        Song("5", parties=[Writer(share=0)]),
        Song("6", parties=[Writer(ipi="00014107339")]),
        Song("7", parties=[Writer(share=5000), Writer(number="", ipi="", share=5000, other=True)]),
        Song("8", parties=[Writer(share=5000), Writer(number="", ipi="", share=5000, other=True, unknown=True)]),
        Song("9", more=["ZZZ########@@@@@@@@what"]),
        Song("10", language="%%"),
    ]
    result, answers = send(society, file(*songs))
    assert counts(result) == (10, 6, 0, 0, 4)
    assert [a.status for a in answers] == ["AS", "RJ", "RJ", "AC", "NP", "AC", "AC", "AS", "RJ", "RJ"]
    assert [(a.group, a.transaction, a.number) for a in answers] == [(1, n, str(n + 1)) for n in range(10)]
    [told] = answers[5].messages
    assert (told.record, told.record_type, told.whole) == (1, "SWR", False)
    assert [m.record_type for m in answers[8].messages] == ["ZZZ"] and answers[8].messages[0].whole
    assert answers[1].recipient_number == "" and answers[9].messages
    rows = {row for row, *_rest in refused(result)}
    assert {5, 7, 9, 14} <= rows
    assert not Work.objects.filter(ref__endswith="-3").exists()


def test_the_last_of_several_registrations_of_a_work_counts(society: Organisation) -> None:
    result, answers = send(
        society, file(Song("1"), Song("1", title="LATER", parties=[Writer(share=6000), Publisher(share=4000)]))
    )
    assert counts(result) == (2, 1, 0, 1, 0)
    assert Work.objects.get().title == "LATER"
    assert [ppm for *_who, ppm in shares()] == [600_000, 400_000]
    assert [a.status for a in answers] == ["AS", "AS"]


GOOD = file(Song("1"), Song("2"))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"work_ref,kind,title\n", "not_cwr"),
        (GOOD[: GOOD.rindex(b"TRL")], "broken_structure"),
        (GOOD[: GOOD.rindex(b"GRT")], "broken_structure"),
        (GOOD.replace(b"TRL0000100000002", b"TRL0000100000003"), "wrong_counts"),
        (GOOD.replace(b"GRT000010000000200000006", b"GRT000010000000200000007"), "wrong_counts"),
        (GOOD.replace(b"TRL0000100000002", b"TRL00001xxxxxxxx"), "broken_structure"),
        (GOOD.replace(b"NWR00000001", b"NWR00000002"), "broken_structure"),
        (GOOD.replace(b"NWR00000000", b"NWR0000000x"), "broken_structure"),
        (GOOD + b"NWR\r\n", "broken_structure"),
        (GOOD.replace(b"SWR00000001", b"\r\nSWR00000001"), "broken_structure"),
        (file(Song(), version="03.00"), "cwr_version"),
        (file(Song(), header="HDRPB"), "not_cwr"),
        (b"\r\n".join(line for line in GOOD.split(b"\r\n") if not line.startswith(b"GRH")), "broken_structure"),
    ],
)
def test_a_file_whose_form_or_counts_do_not_hold_is_refused_as_a_whole(tmp_path: Path, data: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        read(tmp_path, data)
    assert refusal.value.code == code


def test_an_acknowledgement_is_no_works_file(society: Organisation) -> None:
    send(society, file(Song()))
    answer = Import.objects.get().answer
    assert answer is not None and answer.name == "CW260001-ACK.V21"
    with pytest.raises(Refusal) as refusal:
        send(society, intake.path_of(answer).read_bytes())
    assert refusal.value.code == "acknowledgement"


@pytest.mark.parametrize(
    ("encoding", "title", "end"),
    [
        ("utf-8", "어제 ÉTÉ", "\r\n"), ("utf-8-sig", "어제", "\n"), ("cp949", "나의 노래", "\r\n"),
        ("latin-1", "L'ÉTÉ À ÎLE", "\r"), ("cp1252", "DON\u2019T – ÇA", "\r\n"),
    ],
)  # fmt: skip
def test_old_encodings_are_understood(tmp_path: Path, encoding: str, title: str, end: str) -> None:
    assert [song.title for song in read(tmp_path, file(Song(title=title), end=end, encoding=encoding))] == [title]


def test_a_sender_who_counts_bytes_is_understood(tmp_path: Path) -> None:
    title = "나의 노래"
    data = file(Song(title="@TITLE@", iswc=ISWC)).replace(f"{'@TITLE@':<60}".encode(), title.encode("cp949").ljust(60))
    [song] = read(tmp_path, data)
    assert (song.title, song.iswc, song.number) == (title, ISWC, "1")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda line: line.replace(b"ADA", b"A\0A"), "a NUL byte"),
        (lambda line: line + b"x" * 5000, "the row is too long"),
        (lambda line: line.replace(b"00000001", b"00000007", 2), "the record's number does not follow the one before"),
        (lambda line: line.replace(b"02110000", b"0211000x"), "a share is five digits, 00000 to 10000"),
        (lambda line: line.replace(b"02110000", b"02199999"), "a share is five digits, 00000 to 10000"),
    ],
)
def test_a_hostile_record_spoils_its_transaction_only(tmp_path: Path, change: Any, reason: str) -> None:
    lines = file(Song("1"), Song("2")).split(b"\r\n")
    lines[3] = change(lines[3])
    spoilt, good = read(tmp_path, b"\r\n".join(lines))
    assert (3 + 1, reason) in {(problem.row, problem.reason) for problem in spoilt.problems}
    assert not good.problems


_NAMES = st.text(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ'-가나다ÉÜ"), min_size=1, max_size=20)


@st.composite
def songs(draw: Any) -> Song:
    cuts = sorted(draw(st.lists(st.integers(1, 9_999), max_size=4, unique=True)))
    parts = [b - a for a, b in zip([0, *cuts], [*cuts, 10_000], strict=True)]
    parties = [Writer(f"W{n}", draw(_NAMES), draw(_NAMES), share=part) for n, part in enumerate(parts)]
    return Song(str(draw(st.integers(1, 10**9))), draw(_NAMES), parties, titles=draw(st.lists(_NAMES, max_size=3)))


@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.lists(songs(), max_size=5), st.sampled_from(["02.10", "02.20"]))
def test_what_is_written_is_read_back(tmp_path: Path, written: list[Song], version: str) -> None:
    found = read(tmp_path, file(*written, version=version))
    assert [(s.number, s.title, [t for _row, t in s.titles], s.problems) for s in found] == [
        (song.number, song.title, list(song.titles), []) for song in written
    ]
    assert [[(p.number, p.name, p.share) for p in s.parties] for s in found] == [
        [(w.number, f"{w.first} {w.last}", w.share) for w in song.parties if isinstance(w, Writer)] for song in written
    ]


@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=12), st.integers(0, 40))
def test_damage_is_refused_or_reported_never_raised(tmp_path: Path, at: int, junk: bytes, cut: int) -> None:
    refused, found = "", []
    try:
        found = read(tmp_path, GOOD[:at] + junk + GOOD[at + cut :])
    except Refusal as refusal:
        refused = refusal.code
    known = {"", "broken_structure", "wrong_counts", "not_cwr", "cwr_version", "empty_file", "damaged_archive"}
    assert refused in known
    assert len(found) <= 3


def test_a_header_with_a_long_ipi_names_the_whole_number(tmp_path: Path) -> None:
    path = tmp_path / "in.cwr"
    path.write_bytes(file(Song(), header=HDR.replace("HDRPB000123456", "HDR12345678901")))
    works = WorksFile(path, Limits())
    assert len(list(works.registrations())) == 1 and works.header.number == "12345678901"


def test_the_memory_of_an_import_does_not_grow_with_its_file(
    society: Organisation, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """What does not fit into the bound that is set lies on the disk; 1.6 million records were brought in by so little."""
    settings.IMPORT_MEMORY = "64MB"
    seen, fill = [], cwr.outside.fill

    def looked(engine: Any, *given: Any, **named: Any) -> Any:
        seen.extend(engine.rows("SELECT current_setting('memory_limit')"))
        return fill(engine, *given, **named)

    monkeypatch.setattr(cwr.outside, "fill", looked)
    songs = [Song(number=str(n), title=f"SONG {n}", parties=[Writer(f"W{n}", ipi="")]) for n in range(2000)]
    result, answers = send(society, file(*songs))
    assert seen == [("61.0 MiB",)]
    assert counts(result) == (2000, 2000, 0, 0, 0) and {answer.status for answer in answers} == {"AS"}
