"""What differs between two versions of standard terms, clause by clause and word by word. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Piece = tuple[str, str]  # `same`, `added` or `removed`, and the text


@dataclass(frozen=True, slots=True)
class ClauseChange:
    """A clause that is not the same in both: its headings, and its words with what was added and removed."""

    heading: str
    pieces: tuple[Piece, ...]


def clause_changes(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], language: str
) -> list[ClauseChange]:
    """The clauses that differ, in the order of the later version; those that went come where they stood."""
    old, new = ([_said(clause, language) for clause in version] for version in (before, after))
    matcher = difflib.SequenceMatcher(a=[h for h, _w in old], b=[h for h, _w in new], autojunk=False)
    changes = []
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind == "equal":
            pairs = zip(old[i:j], new[k:m], strict=True)
            changes += [ClauseChange(a[0], words(a[1], b[1])) for a, b in pairs if a != b]
        else:
            changes += [ClauseChange(heading, (("removed", text),)) for heading, text in old[i:j]]
            changes += [ClauseChange(heading, (("added", text),)) for heading, text in new[k:m]]
    return changes


def condition_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """The conditions whose value differs: name, before, after."""
    names = [*before, *(name for name in after if name not in before)]
    return [(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]


def words(before: str, after: str) -> tuple[Piece, ...]:
    """Two texts as pieces that are the same, were removed, or were added.

    >>> words("keep for 30 days", "keep for 60 days")
    (('same', 'keep for '), ('removed', '30'), ('added', '60'), ('same', ' days'))
    """
    a, b = (re.findall(r"\s+|[^\s]+", text) for text in (before, after))
    pieces: list[Piece] = []
    for kind, i, j, k, m in difflib.SequenceMatcher(a=a, b=b, autojunk=False).get_opcodes():
        parts = (("same", a[i:j]),) if kind == "equal" else (("removed", a[i:j]), ("added", b[k:m]))
        pieces += [(how, "".join(part)) for how, part in parts if part]
    return tuple(pieces)


def _said(clause: Mapping[str, Any], language: str) -> tuple[str, str]:
    condition = " ".join(f"[{key} {clause[key]}]" for key in ("when", "unless") if clause.get(key))
    text = clause["text"][language]
    return clause["heading"][language], f"{condition} {text}" if condition else text
