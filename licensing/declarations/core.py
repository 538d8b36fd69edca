"""How a declaration goes: what may be done in which state, what holds it back, how files are told apart. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from accounts.identity.core import gettext_noop, say

# Unsubmitted: the licensee may still change or discard it.
OPEN: Final = frozenset({"draft", "received", "processing", "processed", "failed"})
# A new file may be attached; and while files are read (`processing`, step `intake`).
ATTACHABLE: Final = frozenset({"draft", "received", "processed", "failed"})
RESUMABLE: Final = frozenset({"draft", "failed"})  # where it has files
WAITING: Final = frozenset({"received", "processing"})
SUBMITTED: Final = frozenset({"submitted", "accepted", "superseded"})
AMENDABLE: Final = frozenset({"submitted", "accepted"})

STALE_SECONDS: Final = 60  # without a sign of life, work counts as abandoned
HEARTBEAT_SECONDS: Final = 1  # also how soon a stopped worker hears of it
MOST_ATTEMPTS: Final = 5
MOST_NAMED: Final = 20  # files in one sentence

# Why a line is rejected, as `intake.sql` says it. Identifiers have reasons of their own: `repertoire.identifiers`.
REASONS: Final = (
    gettext_noop("neither an identifier nor a title"),
    gettext_noop("the identifier has no type"),
    gettext_noop("unknown type of identifier"),
    gettext_noop("not a whole number from 1 to 999999999999999 in digits"),
    gettext_noop("neither the line nor the declaration names a unit"),
    gettext_noop("unknown unit"),
    gettext_noop("neither the line nor the declaration names a use"),
    gettext_noop("unknown use"),
    gettext_noop("not a date such as 2026-03-31"),
    gettext_noop("outside the declared period"),
    gettext_noop("the title is too long"),
    gettext_noop("write identifiers as scheme:value, with ; between"),
    gettext_noop("too many identifiers for one line"),
)


def attachable(status: str, step: str) -> bool:
    """Whether a file may be added now: before the result is worked out, and after, until it is submitted."""
    return status in ATTACHABLE or (status == "processing" and step == "intake")


@dataclass(frozen=True, slots=True)
class Note:
    """Something to be said about a declaration: a question that holds back acceptance, or a problem that failed it."""

    code: str
    detail: str
    row: int | None = None
    file: str = ""  # the name of the file that it is about

    def as_data(self) -> dict[str, Any]:
        row = {"row": self.row} if self.row is not None else {}
        return {"code": self.code, "detail": self.detail, **row, **({"file": self.file} if self.file else {})}


def problems_of_files(failed: Sequence[tuple[str, Sequence[Mapping[str, Any]]]], *, files: int) -> list[Note]:
    """The problems of the files that failed, each with its file's name; where there are several, first which they are."""
    named = [
        Note(problem["code"], problem["detail"], problem.get("row"), name)
        for name, problems in failed
        for problem in problems
    ]
    if files == 1:
        return named
    names = ", ".join(name for name, _problems in failed[:MOST_NAMED]) + (" …" if len(failed) > MOST_NAMED else "")
    detail = say(
        "{failed} of {files} files could not be read: {names}. The others need not be sent again.",
        failed=len(failed), files=files, names=names,
    )  # fmt: skip
    return [Note("files_failed", detail), *named]


def questions(
    *, lines: Mapping[str, int], unpriced: Sequence[str], missing_bases: Sequence[str], unrated: Note | None
) -> list[Note]:
    """What the society must look at before it can accept: use that cannot be priced, or nothing to price at all.

    `unpriced` names quantities that no charge fits; `unrated` says why no fee could be worked out.
    """
    found = [Note("unpriced", say("No charge of the tariff prices {what}.", what=what)) for what in unpriced]
    found += [
        Note("missing_base", say("The tariff asks for “{name}”, which was not declared.", name=name))
        for name in missing_bases
    ]
    if unrated is not None:
        found.append(unrated)
    if not lines.get("licensed", 0) + lines.get("unmatched", 0):
        found.append(Note("nothing_to_price", say("No line of the declaration is licensed or unmatched.")))
    return found


def digest(sha256s: Sequence[str]) -> str:
    """One digest for a declaration's files: the only file's own, or that over their digests in order."""
    if len(sha256s) == 1:
        return sha256s[0]
    return hashlib.sha256("".join(sha256s).encode()).hexdigest() if sha256s else ""
