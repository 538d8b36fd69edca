"""Answers permission cases on the engine: `permit.sql` on facts that `core.decide` reads one by one."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cache
from random import Random
from typing import Any, Final

from licensing.engine import connect
from licensing.licences.core import Terms
from licensing.permissions import core, volume

NO_LICENCE = Terms(uses=(), kinds=(), territory=(), since=volume.OPEN_END, until=None, status="draft")

# How a reservation can touch what is asked about. `near` and `carried near` are 39 of 256 bits away, `far` is 40 away.
TOUCHING: Final = ("work", "holder", "place", "place above", "pattern", "identifier", "near", "carried", "carried near")
NOT_TOUCHING: Final = (
    "other work",
    "place beside",
    "other pattern",
    "excepted",
    "far",
    "carried far",
    "other identifier",
)
OF_WORKS: Final = frozenset({"work", "holder", "other work", "carried", "carried near", "carried far"})
_BY_CODE: Final = frozenset({"identifier", "near", "far", "other identifier"})

_USED: Final = {
    "work_id": "BIGINT", "scheme": "VARCHAR", "value": "VARCHAR", "kind": "VARCHAR", "use": "VARCHAR", "unit": "VARCHAR",
    "used_on": "DATE", "dataset": "VARCHAR", "units": "DECIMAL(38,0)", "lines": "BIGINT",
}  # fmt: skip
_SHARE: Final = {
    "work_id": "BIGINT", "holder_id": "BIGINT", "ppm": "INTEGER", "valid_from": "DATE", "valid_to": "DATE",
}  # fmt: skip


def permit(
    cases: Sequence[core.Facts],
    *,
    licence: Terms | None,
    territory: str = "KR",
    model: str = "",
    statutory: Sequence[core.Grant] = (),
    targets: Sequence[Sequence[str]] = (),
) -> list[core.Decision]:
    """One decision a case, without reasons. Case `i` is the work `i`; its holders' ids must be its own.

    `targets[i]` says, for each reservation of the case, how it touches it, or does not (`TOUCHING`, `NOT_TOUCHING`).
    """
    rows: dict[str, list[tuple[Any, ...]]] = {
        name: [] for name in ("used", "work", "identifier", "share", "mandate", "place", "reservation", "excepting")
    }
    direct = []
    for i, facts in enumerate(cases):
        aims = targets[i] if targets else ()
        scheme, value = ("iscc", code(i)) if _BY_CODE & set(aims) else ("domain", f"www.{i}.example")
        work = i if facts.matched else None
        rows["used"].append(
            (work, scheme, value, facts.kind, facts.use, "token", facts.day, facts.dataset or None, 7, 1)
        )
        if scheme == "domain":
            rows["place"] += [("domain", value, value), ("domain", value, f"{i}.example")]
        if facts.matched:
            rows["work"].append((i, facts.kind, facts.protected_until))
            rows["identifier"].append(("iscc", code(i), i))
        rows["share"] += [(i, s.holder, s.ppm, s.span.since, s.span.until or volume.OPEN_END) for s in facts.shares]
        rows["mandate"] += [volume.grant_row(h, grant) for h, grants in facts.mandates.items() for grant in grants]
        direct += [(h, grant) for h, grants in facts.direct.items() for grant in grants]
        for aim, reservation in zip(aims, facts.reservations, strict=True):
            number = len(rows["reservation"])
            aimed = _aimed(aim, i, facts)
            rows["reservation"].append((number, *map(aimed.get, _TARGETS), *_when(reservation)))
            if aim == "excepted":
                rows["excepting"].append((number, f"www.{i}.example%"))
    return _answers(rows, direct, len(cases), licence or NO_LICENCE, territory, model, statutory)


_TARGETS: Final = ("work_id", "holder_id", "place", "pattern", "scheme", "value")


def _aimed(aim: str, i: int, facts: core.Facts) -> Mapping[str, Any]:
    """The target columns of a reservation aimed at case `i` so."""
    iscc = {"scheme": "iscc"}
    columns: dict[str, dict[str, Any]] = {
        "work": {"work_id": i},
        "other work": {"work_id": -1 - i},
        "holder": {"holder_id": facts.shares[0].holder if facts.shares else -1},
        "place": {"place": f"www.{i}.example"},
        "place above": {"place": f"{i}.example"},
        "place beside": {"place": f"blog.{i}.example"},
        "pattern": {"place": f"www.{i}.example", "pattern": f"www.{i}.ex%"},
        "other pattern": {"place": f"www.{i}.example", "pattern": f"www.{i}.example/books%"},
        "excepted": {"place": f"{i}.example"},
        "identifier": iscc | {"value": code(i)},
        "carried": {"work_id": i},  # `reserved.load` finds the work that carries a reserved identifier
        "near": iscc | {"value": code(i, 39)},
        "carried near": iscc | {"value": code(i, 39)},
        "far": iscc | {"value": code(i, 40)},
        "carried far": iscc | {"value": code(i, 40)},
        "other identifier": {"scheme": "isbn", "value": code(i)},
    }
    return columns[aim]


def _when(reservation: core.Reservation) -> tuple[Any, ...]:
    """Reserved from the day after receipt, and still on the day of its end."""
    after = dt.timedelta(days=1)
    start = core.seoul_day(reservation.received) + after
    end = core.seoul_day(reservation.withdrawn) + after if reservation.withdrawn else volume.OPEN_END
    return volume.codes(reservation.uses), volume.codes(reservation.territory), start, end


@cache
def code(i: int, differing: int = 0) -> str:
    """A Content-Code of its own for each case, or a copy of it that so many bits differ from."""
    return encoded(Random(i).getrandbits(256) ^ ((1 << differing) - 1), 256)


def encoded(
    body: int, bits: int, *, main: int = 2, subtype: int = 0, version: int = 0, length: int | None = None
) -> str:
    """An ISCC: four nibbles of header, and a body."""
    nibbles = (main, subtype, version, bits // 32 - 1 if length is None else length)
    header = int("".join(f"{nibble:x}" for nibble in nibbles), 16)
    return base64.b32encode(header.to_bytes(2, "big") + body.to_bytes(bits // 8, "big")).decode().rstrip("=")


def _answers(
    rows: Mapping[str, list[tuple[Any, ...]]],
    direct: list[tuple[int, core.Grant]],
    count: int,
    licence: Terms,
    territory: str,
    model: str,
    statutory: Sequence[core.Grant],
) -> list[core.Decision]:
    columns = {
        "used": _USED,
        "work": {"work_id": "BIGINT", "kind": "VARCHAR", "protected_until": "DATE"},
        "identifier": {"scheme": "VARCHAR", "value": "VARCHAR", "work_id": "BIGINT"},
        "share": _SHARE,
        "mandate": volume.GRANT,
        "place": {"scheme": "VARCHAR", "value": "VARCHAR", "place": "VARCHAR"},
        "reservation": volume.RESERVATION,
        "excepting": volume.EXCEPTING,
    }
    with connect() as engine:
        for name, of_one in columns.items():
            engine.table(name, of_one, rows[name])
        engine.table("member", {"whole": "VARCHAR", "scheme": "VARCHAR", "value": "VARCHAR"})  # no line says several
        volume.load_exceptions(engine, direct=direct, statutory=statutory)
        volume.load_licence(engine, licence=licence, territory=territory, model=model)
        # A number of its own for each case, in place of what was said.
        numbers = [(n, row[1], row[2]) for n, row in enumerate(rows["used"])]
        engine.table("numbered", {"n": "BIGINT", "scheme": "VARCHAR", "value": "VARCHAR"}, numbers)
        volume.spread_near(engine)
        engine.run(volume.PERMIT)
        found = engine.rows(
            "SELECT coalesce(p.work_id, n.n), p.status, p.basis, p.missing_ppm, p.units, p.lines FROM permitted p "
            "LEFT JOIN numbered n ON p.work_id IS NULL AND n.scheme = p.scheme AND n.value = p.value"
        )
    assert len(found) == count
    assert all((units, lines) == (7, 1) for *_, units, lines in found)
    answers = {n: core.Decision(status, basis, missing) for n, status, basis, missing, *_ in found}
    return [answers[n] for n in range(count)]
