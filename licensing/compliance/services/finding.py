"""Cases that come out later: a distribution finds what a declared identifier meant, and that nothing allowed its use.

The firm has paid for these uses, since an unmatched line is priced: such a case asks for no money by itself, and the society decides
what becomes of it. Of each finding one case a declaration and holder.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from accounts.approvals.models import Approval
from accounts.evidence.services import record
from accounts.identity.core import SYSTEM, Reference
from accounts.notices import services as notices
from licensing.compliance import core
from licensing.compliance.models import Case
from licensing.compliance.services.telling import link_to, tell_staff

# `uses`: declaration_id, holder_id (null: nobody on record), work_id, scheme, value, kind, use, unit, used_on, status, ppm, units, lines.
_OPEN: Final = """
    WITH used AS MATERIALIZED (
      SELECT * FROM ({uses}) u (declaration_id, holder_id, work_id, scheme, value, kind, use, unit, used_on, status, ppm, units, lines)
    ), by_unit AS (
      SELECT declaration_id, holder_id, jsonb_object_agg(unit, units) AS units
      FROM (SELECT declaration_id, holder_id, unit, sum(units) AS units FROM used GROUP BY 1, 2, 3) x GROUP BY 1, 2
    ), by_reason AS (
      SELECT declaration_id, holder_id, jsonb_object_agg(status, lines) AS reasons
      FROM (SELECT declaration_id, holder_id, status, sum(lines) AS lines FROM used GROUP BY 1, 2, 3) x GROUP BY 1, 2
    ), summed AS (
      SELECT declaration_id, holder_id, count(DISTINCT work_id) AS works, sum(lines)::bigint AS lines FROM used GROUP BY 1, 2
    ), made AS (
      INSERT INTO licensing_case (declaration_id, society_id, licensee_id, holder_id, found_in, status, works, lines, units, reasons,
                                  currency, ordinary, proposed, explanation, answer, outcome, offered_why)
      SELECT s.declaration_id, l.society_id, l.licensee_id, s.holder_id, %s, 'open', s.works, s.lines, u.units, r.reasons, %s, 0, 0,
             jsonb_build_object('charges', '[]'::jsonb, 'paid_already', true), '', '', ''
      FROM summed s
      JOIN by_unit u ON u.declaration_id = s.declaration_id AND u.holder_id IS NOT DISTINCT FROM s.holder_id
      JOIN by_reason r ON r.declaration_id = s.declaration_id AND r.holder_id IS NOT DISTINCT FROM s.holder_id
      JOIN licensing_declaration d ON d.id = s.declaration_id
      JOIN licensing_licence l ON l.id = d.licence_id
      LEFT JOIN licensing_holder h ON h.id = s.holder_id
      ORDER BY s.declaration_id, h.ref COLLATE "C" NULLS LAST
      ON CONFLICT DO NOTHING
      RETURNING id, declaration_id, holder_id
    ), filled AS (
      INSERT INTO licensing_caseuse (case_id, work_id, scheme, value, kind, use, unit, used_on, status, ppm, units, lines)
      SELECT m.id, u.work_id, u.scheme, u.value, u.kind, u.use, u.unit, u.used_on, u.status, u.ppm, u.units, u.lines
      FROM used u JOIN made m ON m.declaration_id = u.declaration_id AND m.holder_id IS NOT DISTINCT FROM u.holder_id
    )
    SELECT declaration_id, count(*) FROM made GROUP BY 1 ORDER BY 1"""


@transaction.atomic
def open_found(*, society_id: int, found_in: int, currency: str, uses: str, params: Sequence[Any] = ()) -> int:
    """Open the cases of what a distribution found; returns how many. The same finding again opens nothing more."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN.format(uses=uses), [*params, found_in, currency])
        opened = cursor.fetchall()
    for declaration, cases in opened:
        data = {"cases": cases, "run": found_in, "currency": currency}
        reference = Reference("declaration", declaration)
        record(actor=SYSTEM, verb="cases.opened", object=reference, organisation_id=society_id, data=data)
        _tell(society_id, declaration, found_in, cases, data)
    return sum(cases for _declaration, cases in opened)


@transaction.atomic
def close_found(*, society_id: int, found_in: int) -> int:
    """Close what is still open of the cases that a distribution found, because it was taken back; returns how many."""
    live = Case.objects.filter(society_id=society_id, found_in=found_in, status__in=core.LIVE)
    numbers = list(live.values_list("pk", flat=True))
    if not numbers:
        return 0
    Approval.objects.pending().filter(object_kind="case", object_id__in=[str(number) for number in numbers]).delete()
    with override("en"):
        outcome = _("Distribution run %(run)s, which found it, was taken back.") % {"run": found_in}
    closed = live.update(
        status=Case.Status.CLOSED, outcome=outcome, ended_at=timezone.now(), offered=None, offered_why=""
    )
    data = {"cases": closed, "run": found_in}
    record(
        actor=SYSTEM, verb="cases.withdrawn", object=Reference("run", found_in), organisation_id=society_id, data=data
    )
    return closed


def _tell(society_id: int, declaration: int, found_in: int, cases: int, data: dict[str, Any]) -> None:
    def said() -> tuple[str, str]:
        subject = ngettext(
            "%(count)s case from declaration %(number)s", "%(count)s cases from declaration %(number)s", cases
        )
        body = _(
            "A distribution found what was declared there, and that nothing allowed it. The money is held; look at the cases."
        )
        return subject % {"count": cases, "number": declaration}, body

    key, link = f"cases-found:{found_in}:{declaration}", link_to("licensing:cases") + f"?declaration={declaration}"
    tell_staff(society_id, "society", "cases.manage", key=key, said=said, link=link)
    notices.publish(organisation_id=society_id, kind="case.opened", key=key, data={"declaration": declaration, **data})
