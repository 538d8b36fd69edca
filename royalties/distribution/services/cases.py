"""What a release found not to be allowed: the money is held, and a compliance case opens when the run is posted."""

from __future__ import annotations

from typing import Final

from licensing.compliance import services as compliance
from royalties.distribution.models import HeldUse, Run

# Each declared use that was found, for every holder of the work on that day, and for what nobody has of it. Parameter: run.
_USES: Final = """
    WITH found AS MATERIALIZED (
      SELECT DISTINCT u.declaration_id, h.work_id, u.scheme, u.value, u.kind, u.use, u.unit, u.used_on, h.reason, u.units, u.lines
      FROM royalties_helduse h
      JOIN royalties_runpool p ON p.id = h.pool_id
      JOIN royalties_runpooldeclaration b ON b.pool_id = royalties_root(p.id)
      JOIN licensing_declaration d ON d.id = b.declaration_id AND d.territory = h.territory
      JOIN licensing_declareduse u ON u.declaration_id = b.declaration_id AND u.work_id IS NULL AND u.status = 'unmatched'
       AND u.scheme = h.scheme AND u.value = h.value AND u.use = h.use AND u.used_on = h.used_on
      WHERE p.run_id = %s
    ), held AS MATERIALIZED (
      SELECT d.work_id, d.used_on, s.holder_id, sum(s.ppm) AS ppm
      FROM (SELECT DISTINCT work_id, used_on FROM found) d
      JOIN licensing_share s ON s.work_id = d.work_id AND s.valid @> d.used_on GROUP BY 1, 2, 3
    ), part AS (
      SELECT work_id, used_on, holder_id, least(ppm, 1000000) AS ppm FROM held
      UNION ALL
      SELECT d.work_id, d.used_on, NULL, 1000000 - coalesce(sum(h.ppm), 0)
      FROM (SELECT DISTINCT work_id, used_on FROM found) d LEFT JOIN held h ON h.work_id = d.work_id AND h.used_on = d.used_on
      GROUP BY 1, 2 HAVING coalesce(sum(h.ppm), 0) < 1000000
    )
    SELECT f.declaration_id, p.holder_id, f.work_id, f.scheme, f.value, f.kind, f.use, f.unit, f.used_on, f.reason, p.ppm, f.units, f.lines
    FROM found f JOIN part p ON p.work_id = f.work_id AND p.used_on = f.used_on"""


def open_cases(run: Run) -> None:
    """Open them, once a run; a run that is posted already opens nothing more."""
    if HeldUse.objects.filter(pool__run=run).exists():
        compliance.open_found(
            society_id=run.society_id, found_in=run.pk, currency=run.currency, uses=_USES, params=[run.pk]
        )


def close_cases(run: Run) -> None:
    """Close what is still open of them, with the run that is taken back."""
    compliance.close_found(society_id=run.society_id, found_in=run.pk)
