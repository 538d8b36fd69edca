"""Documents can be archived for decades and read aloud: PDF/A-2a, PDF/UA-1, tagged, with their language."""

from __future__ import annotations

import datetime
import io
from pathlib import Path

import pikepdf
import pytest

from accounts.identity import paper

TEMPLATE = """#let d = json(bytes(sys.inputs.data))
#set document(title: d.title)
#set text(lang: d.language, font: "NanumGothic")
= #d.title
{more}
"""
DATA = {"title": "정산명세서", "language": "ko"}


def made(folder: Path, more: str = "") -> bytes:
    template = folder / "document.typ"
    template.write_text(TEMPLATE.replace("{more}", more), encoding="utf-8")
    return paper.pdf(template, DATA, datetime.date(2026, 3, 1))


def test_a_document_says_that_it_keeps_the_standards(tmp_path: Path) -> None:
    with pikepdf.open(io.BytesIO(made(tmp_path))) as document:
        with document.open_metadata() as metadata:
            assert metadata.pdfa_status == "2A"
            assert metadata["pdfuaid:part"] == "1"
        assert document.Root.MarkInfo.Marked
        assert str(document.Root.Lang) == "ko"
        assert "/StructTreeRoot" in document.Root


def test_a_picture_without_words_is_refused(tmp_path: Path) -> None:
    picture = "#image(bytes(\"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>\"), format: \"svg\"{alt})"
    assert made(tmp_path, picture.replace("{alt}", ', alt: "a square"'))
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(Exception, match="alt"):
        made(other, picture.replace("{alt}", ""))


def test_the_same_document_is_the_same_bytes(tmp_path: Path) -> None:
    assert made(tmp_path) == made(tmp_path)
