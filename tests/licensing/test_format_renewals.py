"""The renewals catalogue: real lines to works and claimants in equal parts, and damaged ones by their numbers."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from accounts.identity.core import SYSTEM, Refusal
from accounts.organisations.models import Organisation
from config.demo.repertoire import DATA
from licensing.intake import services as intake
from licensing.intake.core import Limits
from licensing.intake.formats import renewals
from licensing.intake.importing import ImportResult
from licensing.repertoire import services
from licensing.repertoire.models import Holder, Share, Work
from tests.licensing.parties import organisation
from tests.licensing.repertoire_files import counts, refused

REAL = DATA / "cce-renewals-1951-1A.tsv"
HEADER = "title\tauthor\toreg\todat\tclaimants"
DIGEST = "Digest, 1922.\tABBOTT, AUSTIN.\tA704623\t1923-05-18\tThe Lawyers Co-operative Pub. Co.|PCW"


@pytest.fixture
def society(db: Any) -> Organisation:
    return organisation("KOLIT", "society")


def send(society: Organisation, data: bytes) -> ImportResult:
    stored = intake.keep(actor=SYSTEM, stream=io.BytesIO(data), name="renewals.tsv", organisation=society)
    return services.import_renewals(actor=SYSTEM, society=society, file=stored)


def lines(*rows: str) -> bytes:
    return "\n".join([HEADER, *rows, ""]).encode()


def test_the_real_catalogue_is_read_whole_and_twice_the_same(society: Organisation) -> None:
    data = b"".join(REAL.read_bytes().splitlines(keepends=True)[:400])
    result = send(society, data)
    assert result.read == 399 and result.created > 350
    assert result.created + result.unchanged + result.rejected == 399
    assert counts(send(society, data))[1:3] == (0, 0)
    work = Work.objects.get(ref="USCO-A704623")
    assert (work.title, work.protected_until and work.protected_until.isoformat(), str(work.identifiers.get())) == (
        "ABBOTT, AUSTIN. Digest of all the New York reports, 1922.", "2019-01-01", "usco:A704623",
    )  # fmt: skip
    assert Holder.objects.get(shares__work=work).kind == "organisation"


def test_claimants_have_equal_parts_that_make_the_whole(society: Organisation) -> None:
    send(society, lines("Song\t\tA1\t1930\tMary|W||John|C||Ann|C||Mary|W"))
    assert sorted(Share.objects.values_list("ppm", flat=True)) == [333_333, 333_333, 333_334]


def test_bad_lines_are_reported_and_lose_no_good_one(society: Organisation) -> None:
    result = send(
        society,
        lines(DIGEST, "", "No claimant\t\tA1\t1930\t", "\t\tA2\t1930\tX|A", "few", "No\t\t\t1930\tX|A", "NUL\0\t\tA3\t\tX|A")
        + "Caf\xe9".encode("latin-1") + b"\t\tA4\tlater\tX|A\n",
    )  # fmt: skip
    assert counts(result) == (7, 1, 0, 0, 6)
    assert [row for row, *_rest in refused(result)] == [4, 5, 6, 7, 8, 9]


@pytest.mark.parametrize(
    ("data", "code"), [(b"", "empty_file"), (lines(), "no_rows"), (b"a\tb\nc\td\n", "missing_columns")]
)
def test_what_is_no_catalogue_is_refused(tmp_path: Path, data: bytes, code: str) -> None:
    path = tmp_path / "in.tsv"
    path.write_bytes(data)
    with pytest.raises(Refusal) as refusal:
        list(renewals.read(path, Limits()))
    assert refusal.value.code == code
