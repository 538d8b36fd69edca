"""Cases of accepted declarations: pulled, one statement a declaration, once."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
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
from licensing.compliance.models import Case, CaseScan, CompensationTerms
from licensing.compliance.services.pricing import Hypothetical, hypothetical, terms_on
from licensing.compliance.services.telling import link_to, tell_staff
from licensing.declarations.models import Declaration

OPEN_CASES: Final = Path(__file__).with_name("open_cases.sql").read_text(encoding="utf-8")
AT_ONCE: Final = 50  # declarations a turn


def waiting(limit: int = AT_ONCE) -> list[int]:
    """Accepted live declarations that were not looked through yet, oldest first."""
    accepted = Declaration.objects.billable().exclude(pk__in=CaseScan.objects.values("declaration_id"))
    return list(accepted.order_by("id").values_list("pk", flat=True)[:limit])


@transaction.atomic
def open_cases(declaration_id: int) -> int:
    """Open the cases of one accepted declaration and close those of what it supersedes; returns how many it opened.

    Twice, or from two workers at once: the second finds it done. A sandbox declaration makes none.
    """
    found = Declaration.objects.billable().select_for_update(of=("self",), no_key=True)
    declaration = found.select_related("licence__tariff", "licence__society").filter(pk=declaration_id).first()
    if declaration is None or CaseScan.objects.filter(declaration_id=declaration_id).exists():
        return 0
    earlier = _superseded(declaration)
    _close_superseded(declaration, earlier)
    scan = CaseScan.objects.create(declaration=declaration)
    if not any(declaration.lines.get(status) for status in core.UNALLOWED):
        return 0
    priced = hypothetical(declaration)
    last_day = declaration.period.upper - datetime.timedelta(days=1)
    held, asked = terms_on(declaration.licence.society_id, last_day)
    cases, ordinary, proposed = _insert(declaration, priced, held, asked, earlier)
    scan.cases, scan.rating, scan.tariff, scan.problem = cases, priced.rating, priced.tariff, priced.problem
    scan.save(update_fields=["cases", "rating", "tariff", "problem"])
    data = {"cases": cases, "ordinary": ordinary, "proposed": proposed, "currency": priced.currency}
    reference = Reference("declaration", declaration.pk)
    society_id = declaration.licence.society_id
    record(actor=SYSTEM, verb="cases.opened", object=reference, organisation_id=society_id, data=data)
    if cases:
        _tell(declaration, cases, data)
    return cases


def _insert(
    declaration: Declaration,
    priced: Hypothetical,
    held: CompensationTerms | None,
    asked: core.Terms,
    earlier: list[int],
) -> tuple[int, int, int]:
    """(cases, ordinary, proposed). An amount a work counts only in the currency of the tariff."""
    licence = declaration.licence
    parameters: dict[str, Any] = {
        "declaration": declaration.pk, "society": licence.society_id, "licensee": licence.licensee_id,
        "currency": priced.currency, "charges": json.dumps(priced.charges), "fee": priced.fee, "multiple": asked.multiple,
        "per_work": asked.per_work if asked.currency == priced.currency else None, "terms": held.pk if held else None,
        "earlier": earlier,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(OPEN_CASES, parameters)
        cases, ordinary, proposed = cursor.fetchone()
    return int(cases), int(ordinary), int(proposed)


def _superseded(declaration: Declaration) -> list[int]:
    """The declarations that this one takes the place of, one after another."""
    found: list[int] = []
    before = declaration.supersedes_id
    while before is not None:
        found.append(before)
        before = Declaration.objects.values_list("supersedes_id", flat=True).get(pk=before)
    return found


def _close_superseded(declaration: Declaration, earlier: list[int]) -> None:
    """What was settled stays settled; what was still open is asked anew by the new declaration's cases."""
    if not earlier:
        return
    live = Case.objects.filter(declaration_id__in=earlier, status__in=core.LIVE)
    with override("en"):
        outcome = _("Declaration #%(number)s took the place of the one that this was about.") % {
            "number": declaration.pk
        }
    offered = [str(number) for number in live.filter(offered__isnull=False).values_list("pk", flat=True)]
    Approval.objects.pending().filter(object_kind="case", object_id__in=offered).delete()
    closed = live.update(
        status=Case.Status.CLOSED, outcome=outcome, ended_at=timezone.now(), offered=None, offered_why=""
    )
    if closed:
        record(
            actor=SYSTEM, verb="cases.superseded", object=Reference("declaration", declaration.pk),
            organisation_id=declaration.licence.society_id, data={"cases": closed, "declarations": earlier},
        )  # fmt: skip


def _tell(declaration: Declaration, cases: int, data: dict[str, object]) -> None:
    def said() -> tuple[str, str]:
        subject = ngettext(
            "%(count)s case from declaration %(number)s", "%(count)s cases from declaration %(number)s", cases
        )
        body = _("It names uses that nothing allowed. Look at the cases, then tell the licensee.")
        return subject % {"count": cases, "number": declaration.pk}, body

    society_id, key = declaration.licence.society_id, f"cases-opened:{declaration.pk}"
    link = link_to("licensing:cases") + f"?declaration={declaration.pk}"
    tell_staff(society_id, "society", "cases.manage", key=key, said=said, link=link)
    notices.publish(
        organisation_id=society_id, kind="case.opened", key=key, data={"declaration": declaration.pk, **data}
    )
