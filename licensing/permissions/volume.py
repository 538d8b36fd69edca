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

PERMIT: Final = Path(__file__).with_name("permit.sql")
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
_RESERVATION: Final = {
    "work_id": "BIGINT",
    "holder_id": "BIGINT",
    "place": "VARCHAR",
    "uses": "VARCHAR",
    "territory": "VARCHAR",
    "reserved_from": "DATE",
    "reserved_to": "DATE",
}
_LICENCE: Final = {"use": "VARCHAR", "kind": "VARCHAR", "dataset": "VARCHAR", "valid_from": "DATE", "valid_to": "DATE"}

# A reservation with what it is of: ("work", id), ("holder", id) or ("place", "example.com/path").
Targeted = tuple[tuple[str, int | str], core.Reservation]


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
    reservations: Iterable[Targeted] = (),
    statutory: Iterable[core.Grant] = (),
) -> None:
    """Tables `direct` (holders' own licences to the licensee), `reservation` and `statutory` (what enabled schemes allow)."""
    engine.table("direct", GRANT, [grant_row(holder, grant) for holder, grant in direct])
    engine.table("reservation", _RESERVATION, [_reservation_row(target, r) for target, r in reservations])
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


def _reservation_row(target: tuple[str, int | str], reservation: core.Reservation) -> tuple[Any, ...]:
    """A use known by its date is reserved from the day after receipt, and still on the day of withdrawal."""
    kind, name = target
    day_after = dt.timedelta(days=1)
    start = core.seoul_day(reservation.received) + day_after
    end = core.seoul_day(reservation.withdrawn) + day_after if reservation.withdrawn else OPEN_END
    targets = tuple(name if kind == column else None for column in ("work", "holder", "place"))
    return *targets, codes(reservation.uses), codes(reservation.territory), start, end
