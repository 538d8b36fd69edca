"""Usage reports in DDEX's flat file: each usage a declared line, refused ones under the report's own line numbers."""

from __future__ import annotations

import datetime as dt
import gzip
import io
from pathlib import Path
from typing import Any

import pytest
import zstandard

from accounts.identity.core import Refusal
from licensing.declarations.models import Declaration
from licensing.intake.core import Limits
from licensing.intake.formats import dsr
from licensing.repertoire.models import Identifier, Work
from tests.licensing.declaring import Firm, counts, declare, firm, rejects, uses

ISWC, ISRC = "T0345246801", "USS1Z1412345"


def record(*cells: str, **placed: str) -> str:
    """A record of these cells; `c11="x"` places one."""
    row = list(cells)
    for name, cell in placed.items():
        place = int(name[1:])
        row += [""] * (place - len(row))
        row[place - 1] = cell
    return "\t".join(row)


HEAD = record(
    "HEAD", "dsrf/1.4/1/1.4", "BasicAudioProfile", "1.4", "M1", "2026-04-01T00:00:00Z", "1", "1", "2026-01-01", "2026-03-31",
    "PADPIDA1", "Dasan AI", "DasanMusic", "PADPIDA2", "Press", "",
)  # fmt: skip
SUMMARY = record("SY01.03", "S1", "", "", "SubscriptionModel", "dasan::AiTraining", "KR", "Premium", "100")


def block(
    number: int, *, units: str = "100", use: str = "", isrc: str = ISRC, iswc: str = "", ref: str = "1"
) -> list[str]:
    """A recording and its use."""
    title = ("Yesterday", "", "The Beatles")
    return [
        record("AS02.04", f"B{number}", "1", f"D{number}", isrc, *title, c12=iswc, c13="Lennon|McCartney"),
        record("SU02.03", f"B{number}", "S1", f"T{number}", "", ref, "true", units, c11=use),
    ]


def report(*body: str, foot: str = "", blocks: int | None = None) -> bytes:
    rows = [HEAD, SUMMARY, *body]
    seen = len({row.split("\t")[1] for row in body if row.count("\t")}) if blocks is None else blocks
    rows.append(foot or record("FOOT", str(len(rows) + 1), str(len(rows) + 1), "1", str(seen), str(seen)))
    return ("\n".join(rows) + "\n").encode()


def written(tmp_path: Path, data: bytes, vocabulary: dsr.Vocabulary | None = None) -> list[str]:
    file, out = tmp_path / "in.tsv", tmp_path / "out.csv"
    file.write_bytes(data)
    with out.open("wb") as sink:
        dsr.write_declaration(sink, file, Limits(), vocabulary or dsr.Vocabulary())
    return out.read_text().split("\n")


@pytest.fixture
def parties(db: Any) -> Firm:
    made = firm()
    work = Work.objects.create(society=made.society, ref="M", kind="music", title="Yesterday")
    Identifier.objects.create(society=made.society, work=work, scheme="iswc", value=ISWC)
    return made


def test_a_report_declares_its_usages_and_names_refused_ones_by_its_own_lines(parties: Firm) -> None:
    body = [
        *block(1, iswc=ISWC), "# a remark", *block(2, isrc="KRA012600001", units="40.00"), *block(3, isrc="bad"),
        *block(4, units="1.5"), *block(5, ref="9"),
    ]  # fmt: skip
    made = declare(parties, report(*body), unit="token", use="ground")
    assert counts(made) == {"rejected": 3, "unmandated": 1, "unmatched": 1}
    assert [row for row in uses(made) if row[0] != "M"] == [("isrc:KRA012600001", "unmatched", "", 40, 1)]
    assert {(row, column) for row, column, *_rest in rejects(made)} == {
        (9, "identifier"),
        (11, "units"),
        (13, "identifier"),
    }


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress, lambda data: b"\xef\xbb\xbf" + data])
def test_packed_or_with_a_mark_it_says_the_same(parties: Firm, pack: Any) -> None:
    made = declare(parties, pack(report(*block(1, iswc=ISWC)).replace(b"\n", b"\r\n")), unit="token")
    assert counts(made) == {"unmandated": 1}
    assert made.units["total"] == 100


def test_its_use_is_what_the_parties_agreed_to_call_it_else_the_declarations_own(tmp_path: Path) -> None:
    body = [*block(1), *block(2, use="dasan::Grounding"), *block(3, use="OnDemandStream"), *block(4, use="Jam")]
    told = [line.split(",")[3:6] for line in written(tmp_path, report(*body)) if line.startswith("isrc")]
    assert told == [["100", "", "train"], ["100", "", "ground"], ["100", "", ""], ["100", "", ""]]
    own = dsr.Vocabulary((("jam", "evaluate"),), unit="second")
    told = [line.split(",")[3:6] for line in written(tmp_path, report(*body), own) if line.startswith("isrc")]
    assert told[3] == ["100", "second", "evaluate"]


def test_several_identifiers_of_a_recording_stand_on_its_line(tmp_path: Path) -> None:
    several = written(tmp_path, report(*block(1, iswc=f"{ISWC}|T0000000010")))[3]
    assert several == f",,iswc:{ISWC};iswc:T0000000010;isrc:{ISRC},100,,train,Yesterday,Lennon; McCartney"


def test_a_work_record_names_the_work_of_its_blocks_recording(tmp_path: Path) -> None:
    body = [
        record("AS01.03", "B1", "1", "D1", ISRC, "A take", "", "Band"), record("MW01.03", "B1", "W1", ISWC, "Song", "", "Kim|Lee"),
        record("LI01.01", "B1", "x"), record("RU01.01", "B1", "x"), record("SU06.01", "B1", "S1", "T1", "1", "7"),
        record("MW01.03", "B2", "W2", "", "Title only", "", "Park"), record("SU03.02", "B2", "T2", "S1", "D2", "8"),
    ]  # fmt: skip
    lines = written(tmp_path, report(*body))
    assert lines[6] == f",,iswc:{ISWC};isrc:{ISRC},7,,train,Song,Kim; Lee"
    assert lines[8] == ",,,8,,train,Title only,Park"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (report(*block(1), foot=record("FOOT", "99", "99", "1", "1", "1")), "wrong_counts"),
        (report(*block(1), foot=record("FOOT", "9" * 5000, "9" * 5000, "1", "1", "1")), "broken_structure"),
        (report(*block(1), blocks=2), "wrong_counts"),
        (report(*block(1), foot=record("FOOT", "5", "5", "3", "1", "1")), "wrong_counts"),
        (report(*block(1), foot=record("FOOT", "x", "", "", "")), "broken_structure"),
        (b"\n".join(report(*block(1)).split(b"\n")[:-2]), "broken_structure"),
        (report(*block(1)) + b"more\n", "broken_structure"),
        (report(record("ZZ01", "B1")), "broken_structure"),
        (report(record("SU09", "B1")), "broken_structure"),
        (report(record("AS01", "")), "broken_structure"),
        (b"HEAD\tx\nFOOT\t2\t2\t0\t0\n", "broken_structure"),
        (b"SRHE\tx\n", "broken_structure"),
    ],
)
def test_a_report_whose_form_or_counts_do_not_hold_is_refused(tmp_path: Path, data: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        written(tmp_path, data)
    assert refused.value.code == code


def test_hostile_usages_are_refused_each_by_its_line(parties: Firm) -> None:
    good, bad = block(1, iswc=ISWC), [block(n)[1] for n in (2, 3, 4)]
    body = [*good, bad[0] + "\0", bad[1] + "\t" + "x" * 70_000, record("SU02.03", "B4", "S1"), *block(5, iswc=ISWC)]
    data = report(*body, blocks=5).replace(b"T1\t", "T한".encode() + b"\t", 1)
    made = declare(parties, data, unit="token")
    assert {row for row, *_rest in rejects(made)} == {5, 6, 7}
    assert made.units["unmandated"] == 200


@pytest.mark.parametrize(
    ("first", "last", "fits"),
    [
        ("2026-01-01", "2026-03-31", True),
        ("2026-02-01", "2026-02-28", True),  # a month of the quarter, beside others
        ("2026-01-01T00:00:00", "2026-03-31T23:59:59", True),
        ("", "", True),
        ("2025-12-01", "2026-01-31", False),
        ("2026-03-01", "2026-04-30", False),
        ("2026-04-01", "2026-06-30", False),
    ],
)
def test_a_report_of_other_days_than_the_declarations_is_refused(
    tmp_path: Path, first: str, last: str, fits: bool
) -> None:
    file, out = tmp_path / "in.tsv", io.BytesIO()
    file.write_bytes(report(*block(1)).replace(b"2026-01-01\t2026-03-31", f"{first}\t{last}".encode()))
    period = dt.date(2026, 1, 1), dt.date(2026, 3, 31)
    if fits:
        assert dsr.write_declaration(out, file, Limits(), dsr.Vocabulary(), period) == 1
        return
    with pytest.raises(Refusal, match="Declare the report's own period") as refused:
        dsr.write_declaration(out, file, Limits(), dsr.Vocabulary(), period)
    assert refused.value.code == "other_period"


def test_the_firm_reads_which_period_a_report_is_about(parties: Firm) -> None:
    data = report(*block(1)).replace(b"2026-01-01\t2026-03-31", b"2025-10-01\t2025-12-31")
    with pytest.raises(Refusal, match="2025-10-01 to 2025-12-31, this declaration about 2026-01-01 to 2026-03-31"):
        declare(parties, data, unit="token")
    made = Declaration.objects.get()
    assert (made.status, made.problems[0]["code"]) == ("failed", "other_period")
