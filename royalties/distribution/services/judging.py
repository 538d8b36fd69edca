"""What permission says, on the day of use, of works that identifiers in suspense turned out to mean.

The licence was asked when the use was declared, and allowed it: what is asked now is the work. So its terms count, and
not whether it is suspended today.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from licensing.engine.core import Engine
from licensing.licences.models import Licence
from licensing.matching import finding, suffixes
from licensing.permissions import volume
from licensing.permissions.core import Grant
from licensing.permissions.services import reserved as reservations
from licensing.permissions.services.direct import grants_to
from licensing.permissions.services.schemes import enabled

_VERDICT: Final = {
    "licence_id": "BIGINT", "territory": "VARCHAR", "work_id": "BIGINT", "scheme": "VARCHAR", "value": "VARCHAR", "use": "VARCHAR",
    "used_on": "DATE", "reason": "VARCHAR",
}  # fmt: skip
_PLACE: Final = {"scheme": "VARCHAR", "value": "VARCHAR", "place": "VARCHAR"}
_MEMBER: Final = {"whole": "VARCHAR", "scheme": "VARCHAR", "value": "VARCHAR"}
_REGISTERED: Final = ("work", "identifier", "rule", "share", "mandate")
# What is not said by the licence is the reason why it is held; a scheme of the law pays members, and holds what is others'.
_REASON: Final = """
    CASE WHEN a.answer = 'licence' THEN ''
         WHEN a.answer = 'statutory' THEN CASE WHEN d.missing_ppm > 0 THEN 'unmandated' ELSE '' END
         ELSE a.answer END"""


def judge(engine: Engine, society_id: int) -> None:
    """From `suspended_use` and the registered tables the table `verdict`: reason '' where it is to be paid."""
    engine.table("verdict", _VERDICT)
    for name in _REGISTERED:
        engine.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM registered_{name}")
    reservations.load(engine, society_id)
    _find_places(engine)
    groups = engine.rows("SELECT DISTINCT licence_id, territory FROM suspended_use WHERE licence_id > 0 ORDER BY 1, 2")
    licences = Licence.objects.in_bulk({licence for licence, _territory in groups})
    statutory = [scheme for _society, _ref, scheme in enabled({society_id})]
    for licence_id, territory in groups:
        _ask(engine, licences[licence_id], territory, statutory)
    for name in _REGISTERED:  # `weigh.sql` makes tables of its own under some of these names
        engine.execute(f"DROP VIEW {name}")


def _find_places(engine: Engine) -> None:
    """The places that the web locations in question lie in, where any is reserved; and the identifiers of lines with several."""
    engine.table("place", _PLACE)
    engine.table("member", _MEMBER)
    places = engine.rows("SELECT 1 FROM reservation WHERE place IS NOT NULL LIMIT 1")
    if places or engine.rows("SELECT 1 FROM suspended_use WHERE scheme = 'several' LIMIT 1"):
        suffixes.load(engine)
        finding.find(
            engine,
            titles=lambda: engine.table("title", finding.TITLE),
            wanted="SELECT DISTINCT scheme, value FROM suspended_use WHERE scheme <> 'title'",
        )


def _ask(engine: Engine, licence: Licence, territory: str, statutory: list[Grant]) -> None:
    """Put the uses under one licence to `permit.sql`."""
    allowed = dataclasses.replace(licence.terms, status="active", models=(), datasets=())
    volume.load_licence(engine, licence=allowed, territory=territory, model="")
    volume.load_exceptions(
        engine,
        direct=grants_to(licensee_id=licence.licensee_id, society_id=licence.society_id),
        statutory=statutory,
    )
    engine.execute(
        f"""CREATE OR REPLACE TABLE used AS
        SELECT s.work_id, s.scheme, s.value, w.kind, s."use", s.unit, s.used_on, CAST('' AS STRING) AS dataset,
               s.units, CAST(1 AS BIGINT) AS lines
        FROM suspended_use s JOIN registered_work w ON w.work_id = s.work_id
        WHERE s.licence_id = {licence.pk} AND s.territory = '{territory}'"""
    )
    volume.spread_near(engine)
    volume.spread_several(engine)
    engine.run(volume.PERMIT)
    engine.execute(
        f"""INSERT INTO verdict
        SELECT DISTINCT {licence.pk}, '{territory}', a.work_id, a.scheme, a.value, a."use", a.used_on, {_REASON}
        FROM answered a
        JOIN decided d ON d.work_id = a.work_id AND d."use" = a."use" AND d.used_on = a.used_on"""
    )
