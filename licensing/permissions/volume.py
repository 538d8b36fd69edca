"""The facts of permission as tables of the engine, for `permit.sql`: those that `core.decide` reads one by one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from licensing import terms
from licensing.engine.core import Engine
from licensing.licences import core as licences
from licensing.permissions import core
from licensing.permissions.core import iscc

PERMIT: Final = Path(__file__).with_name("permit.sql")
_NEAR: Final = Path(__file__).with_name("near.sql")
OPEN_END: Final = dt.date.max  # a date range without end, so that no comparison meets a NULL

GRANT: Final = {
    "holder_id": "BIGINT",
    "uses": "VARCHAR",
    "kinds": "VARCHAR",
    "territory": "VARCHAR",
    "valid_from": "DATE",
    "valid_to": "DATE",
}
_SCHEME: Final = {column: kind for column, kind in GRANT.items() if column != "holder_id"}
RESERVATION: Final = {
    "id": "BIGINT",
    "work_id": "BIGINT",
    "holder_id": "BIGINT",
    "place": "VARCHAR",
    "pattern": "VARCHAR",
    "scheme": "VARCHAR",
    "value": "VARCHAR",
    "uses": "VARCHAR",
    "territory": "VARCHAR",
    "reserved_from": "DATE",
    "reserved_to": "DATE",
}
_LICENCE: Final = {"use": "VARCHAR", "kind": "VARCHAR", "dataset": "VARCHAR", "valid_from": "DATE", "valid_to": "DATE"}
EXCEPTING: Final = {"id": "BIGINT", "pattern": "VARCHAR"}
_CONTENT: Final = {"code": "VARCHAR", "form": "INTEGER", "bits": "INTEGER"} | {
    f"w{n}": "BIGINT" for n in range(iscc.WORDS)
}


def codes(these: Collection[str]) -> str:
    """A set of codes as text that SQL searches with LIKE: `|ground|train|`, or `|*|`."""
    return f"|{'|'.join(sorted(these))}|"


def load_licence(engine: Engine, *, licence: licences.Terms, territory: str, model: str) -> None:
    """Tables `licence` and `context`: what one licence allows in this territory for this model, by use and kind."""
    engine.table("context", {"territory": "VARCHAR"}, [(territory,)])
    engine.table("licence", _LICENCE, _allowed(licence, territory, model))


def load_exceptions(
    engine: Engine,
    *,
    direct: Iterable[tuple[int, core.Grant]] = (),
    statutory: Iterable[core.Grant] = (),
) -> None:
    """Tables `direct` (holders' own licences to the licensee) and `statutory` (what enabled schemes allow)."""
    engine.table("direct", GRANT, [grant_row(holder, grant) for holder, grant in direct])
    engine.table("statutory", _SCHEME, [grant_row(0, grant)[1:] for grant in statutory])


def grant_row(holder: int, grant: core.Grant) -> tuple[Any, ...]:
    """A mandate or direct licence as a row of the columns `GRANT`."""
    span = grant.span
    texts = (codes(grant.uses), codes(grant.kinds), codes(grant.territory))
    return holder, *texts, span.since, span.until or OPEN_END


def _allowed(licence: licences.Terms, territory: str, model: str) -> Sequence[tuple[Any, ...]]:
    somewhere = terms.covers(tuple(licence.territory), territory) and (not licence.models or model in licence.models)
    if licence.status not in licences.LICENSING or not somewhere:
        return []
    datasets: list[str | None] = [*sorted(set(licence.datasets))] or [None]
    return [
        (use, kind, dataset, licence.since, licence.until or OPEN_END)
        for use in terms.USES
        if terms.covers(tuple(licence.uses), use)
        for kind in terms.KINDS
        if terms.covers(tuple(licence.kinds), kind)
        for dataset in datasets
    ]


def near_codes(engine: Engine, sought: Iterable[str], reserved: Iterable[str]) -> None:
    """The table `near(code, reserved)`: which of the ISCC codes sought are near copies of which reserved ones."""
    for name, those in (("sought_content", sought), ("reserved_content", reserved)):
        contents = ((code, iscc.content_of(code)) for code in those)
        engine.table(name, _CONTENT, ((code, c.form, c.bits, *c.words()) for code, c in contents if c is not None))
    engine.run(_NEAR)


def spread_near(engine: Engine) -> None:
    """Reserve what is used under an ISCC that is a near copy of a reserved one, and works that have such a code.

    Where no ISCC is reserved, nothing is looked at.
    """
    reserved = [code for (code,) in engine.rows("SELECT DISTINCT value FROM reservation WHERE scheme = 'iscc'")]
    if not reserved:
        return
    engine.execute(
        """CREATE OR REPLACE TABLE coded AS
        SELECT DISTINCT CAST(NULL AS BIGINT) AS work_id, value FROM used WHERE scheme = 'iscc'
        UNION SELECT CAST(NULL AS BIGINT), value FROM member WHERE scheme = 'iscc'
        UNION SELECT work_id, value FROM identifier
        WHERE scheme = 'iscc' AND work_id IN (SELECT work_id FROM used WHERE work_id IS NOT NULL)"""
    )
    sought = (code for rows in engine.stream("SELECT DISTINCT value FROM coded") for (code,) in rows)
    near_codes(engine, sought, reserved)
    engine.execute(
        """INSERT INTO reservation
        SELECT r.id, c.work_id, NULL, NULL, NULL, CASE WHEN c.work_id IS NULL THEN 'iscc' END,
               CASE WHEN c.work_id IS NULL THEN c.value END, r.uses, r.territory, r.reserved_from, r.reserved_to
        FROM near n JOIN coded c ON c.value = n.code JOIN reservation r ON r.scheme = 'iscc' AND r.value = n.reserved
        WHERE r.work_id IS NULL"""
    )


def spread_several(engine: Engine) -> None:
    """Reserve lines with several identifiers of which one is reserved, or lies in a place that is; after `spread_near`."""
    if not engine.rows("SELECT 1 FROM member LIMIT 1"):
        return
    engine.execute(
        """CREATE OR REPLACE TABLE reserved_member AS
        SELECT r.id, m.whole, r.uses, r.territory, r.reserved_from, r.reserved_to
        FROM member m JOIN reservation r ON r.scheme = m.scheme AND r.value = m.value
        UNION
        SELECT r.id, m.whole, r.uses, r.territory, r.reserved_from, r.reserved_to
        FROM member m
        JOIN place p ON p.scheme = m.scheme AND p.value = m.value
        JOIN reservation r ON r.place = p.place AND (r.pattern IS NULL OR m.value LIKE r.pattern ESCAPE '!')
        WHERE NOT EXISTS (SELECT 1 FROM excepting e WHERE e.id = r.id AND m.value LIKE e.pattern ESCAPE '!')"""
    )
    engine.execute(
        """INSERT INTO reservation
        SELECT id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), CAST(NULL AS STRING), CAST(NULL AS STRING), 'several', whole,
               uses, territory, reserved_from, reserved_to
        FROM reserved_member"""
    )
