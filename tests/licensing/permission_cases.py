"""Answers permission cases on the engine: `permit.sql` on facts that `core.decide` reads one by one."""

from __future__ import annotations

from collections.abc import Sequence

from licensing.engine import connect
from licensing.licences.core import Terms
from licensing.permissions import core, volume


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

    `targets[i]` says, for each reservation of the case, whether it is of the `work`, a `holder` of it, or the `place`.
    """
    used, works, shares, mandates, direct, places, reservations = [], [], [], [], [], [], []
    for i, facts in enumerate(cases):
        used.append(
            (
                i if facts.matched else None,
                "domain",
                f"{i}.example",
                facts.kind,
                facts.use,
                "token",
                facts.day,
                facts.dataset,
                7,
                1,
            )
        )
        places.append(("domain", f"{i}.example", f"{i}.example"))
        if facts.matched:
            works.append((i, facts.kind, facts.protected_until))
        shares += [(i, s.holder, s.ppm, s.span.since, s.span.until or volume.OPEN_END) for s in facts.shares]
        mandates += [volume.grant_row(h, grant) for h, grants in facts.mandates.items() for grant in grants]
        direct += [(h, grant) for h, grants in facts.direct.items() for grant in grants]
        for kind, reservation in zip(targets[i] if targets else (), facts.reservations, strict=True):
            name = {"work": i, "holder": facts.shares[0].holder if facts.shares else -1, "place": f"{i}.example"}[kind]
            reservations.append(((kind, name), reservation))
    with connect() as engine:
        columns = {
            "work_id": "BIGINT",
            "scheme": "VARCHAR",
            "value": "VARCHAR",
            "kind": "VARCHAR",
            "use": "VARCHAR",
            "unit": "VARCHAR",
        }
        more = {"used_on": "DATE", "dataset": "VARCHAR", "units": "DECIMAL(38,0)", "lines": "BIGINT"}
        engine.table("used", columns | more, used)
        engine.table("work", {"work_id": "BIGINT", "kind": "VARCHAR", "protected_until": "DATE"}, works)
        engine.table(
            "share",
            {"work_id": "BIGINT", "holder_id": "BIGINT", "ppm": "INTEGER", "valid_from": "DATE", "valid_to": "DATE"},
            shares,
        )
        engine.table("mandate", volume.GRANT, mandates)
        engine.table("place", {"scheme": "VARCHAR", "value": "VARCHAR", "place": "VARCHAR"}, places)
        volume.load_exceptions(engine, direct=direct, reservations=reservations, statutory=statutory)
        volume.load_licence(engine, licence=licence or NO_LICENCE, territory=territory, model=model)
        engine.run(volume.PERMIT)
        rows = engine.rows("SELECT work_id, value, status, basis, missing_ppm, units, lines FROM permitted")
    assert len(rows) == len(cases)
    assert all((units, lines) == (7, 1) for *_, units, lines in rows)
    answers = {
        work if work is not None else int(value.split(".")[0]): core.Decision(status, basis, missing)
        for work, value, status, basis, missing, _units, _lines in rows
    }
    return [answers[i] for i in range(len(cases))]


NO_LICENCE = Terms(uses=(), kinds=(), territory=(), since=volume.OPEN_END, until=None, status="draft")
