"""Contract files written in a test, and imported as a society does."""

from __future__ import annotations

import io
from typing import Any

from accounts.identity.core import SYSTEM, Actor
from accounts.organisations.models import Organisation
from licensing.intake import services as intake
from licensing.intake.importing import ImportResult
from licensing.permissions.services.importing import import_mandates
from licensing.permissions.services.importing_reservations import import_reservations
from licensing.repertoire import services

IMPORTS: dict[str, Any] = {
    "holders": services.import_holders,
    "works": services.import_works,
    "shares": services.import_shares,
    "mandates": import_mandates,
    "reservations": import_reservations,
}
HEADERS = {
    "holders": "holder_ref,name",
    "works": "work_ref,kind,title,identifiers",
    "shares": "work_ref,holder_ref,role,share,valid_from,valid_to",
    "mandates": "holder_ref,uses,kinds,territory,valid_from,valid_to",
    "reservations": "target,uses,territory,from",
}


def bring(
    society: Organisation, kind: str, *rows: str, header: str = "", actor: Actor = SYSTEM, **more: Any
) -> ImportResult:
    """Import rows of a kind of file; the header is that of HEADERS unless given."""
    data = "\n".join([header or HEADERS[kind], *rows]) + "\n"
    file = intake.keep(actor=actor, stream=io.BytesIO(data.encode()), name=f"{kind}.csv", organisation=society)
    result: ImportResult = IMPORTS[kind](actor=actor, society=society, file=file, **more)
    return result


def counts(result: ImportResult) -> tuple[int, int, int, int, int]:
    """(read, created, updated, unchanged, rejected), which always add up."""
    found = (result.read, result.created, result.updated, result.unchanged, result.rejected)
    assert found[0] == sum(found[1:])
    return found


def refused(result: ImportResult) -> list[tuple[int, str, str]]:
    """(row, column, reason) of the rejects."""
    return [(r.row, r.column, r.reason) for r in result.rejects]
