"""The rejected lines of a declaration, read back from the kept lists."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from licensing.declarations.models import Declaration
from licensing.intake.services import path_of

_HEADER = b"row,column,value,reason\r\n"


def reject_rows(declaration: Declaration) -> Iterator[bytes]:
    """One CSV over all its files, in pieces, with one header."""
    yield _HEADER
    for file in declaration.files.filter(rejects__isnull=False).select_related("rejects").order_by("position", "pk"):
        assert file.rejects is not None
        with path_of(file.rejects).open("rb") as stream:
            stream.readline()
            while piece := stream.read(1 << 16):
                yield piece


def first_rejects(declaration: Declaration, most: int) -> list[dict[str, str]]:
    """The first few, for showing."""
    found: list[dict[str, str]] = []
    for file in declaration.files.filter(rejects__isnull=False).select_related("rejects").order_by("position", "pk"):
        assert file.rejects is not None
        with path_of(file.rejects).open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                if len(found) == most:
                    return found
                found.append(row)
    return found
