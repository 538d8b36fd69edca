"""Cases are told to the licensee: one, or all that a declaration opened, in one statement."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Forbidden, NotFound, Reference
from accounts.notices import services as notices
from licensing.compliance import core
from licensing.compliance.models import Case
from licensing.compliance.services.cases import find_case
from licensing.compliance.services.pricing import terms_on
from licensing.compliance.services.telling import link_to, tell_representatives, tell_staff
from licensing.declarations.models import Declaration

_SHOWN = 100  # numbers of cases in one webhook; the rest is in the list
_NOTIFY = """
    UPDATE licensing_case SET status = 'notified', notified_at = %s, due_on = %s
    WHERE declaration_id = %s AND status = 'open' AND (%s::bigint IS NULL OR id = %s)"""


@transaction.atomic
def notify_case(*, actor: Actor, case: Case) -> Case:
    """Tell the licensee of one case: from now on they see it, and the days to answer run."""
    held = find_case(actor, case.pk)
    if _tell(actor, held.declaration, only=held.pk) != 1:
        raise Conflict("case_moved_on", _("The licensee was told of this case already, or it has ended."))
    held.refresh_from_db()
    return held


@transaction.atomic
def notify_declaration(*, actor: Actor, declaration: Declaration) -> int:
    """Tell the licensee of every open case of a declaration at once; returns how many that were."""
    found = Declaration.objects.visible_to(actor).select_related("licence").filter(pk=declaration.pk).first()
    if found is None:
        raise NotFound(_("There is no such declaration."))
    return _tell(actor, found, only=None)


def _tell(actor: Actor, declaration: Declaration, *, only: int | None) -> int:
    licence = declaration.licence
    actor.require("cases.manage")
    if not actor.is_system and actor.organisation_id != licence.society_id:
        raise Forbidden(_("Only the society decides about a case."))
    now, today = timezone.now(), timezone.localdate()
    _held, asked = terms_on(licence.society_id, today)
    due = core.due_on(today, asked.answer_days)
    with connection.cursor() as cursor:
        cursor.execute(_NOTIFY, [now, due, declaration.pk, only, only])
        count = cursor.rowcount
    if not count:
        return 0
    data: dict[str, Any] = {"cases": count, "due on": due.isoformat()}
    about = Reference("case", only) if only is not None else Reference("declaration", declaration.pk)
    verb = "case.notified" if only is not None else "cases.notified"
    record(actor=actor, verb=verb, object=about, organisation_id=licence.society_id, data=data)
    told = Case.objects.filter(declaration=declaration, notified_at=now)
    _say(declaration, told if only is None else told.filter(pk=only), count, due.isoformat())
    return int(count)


def _say(declaration: Declaration, told: QuerySet[Case], count: int, due: str) -> None:
    licence = declaration.licence
    cases = list(told.order_by("id").values_list("pk", flat=True)[:_SHOWN])
    first = cases[0]
    key = f"cases-notified:{declaration.pk}:{first}"

    def to_licensee() -> tuple[str, str]:
        subject = ngettext(
            "A case about your declaration %(number)s: answer by %(day)s",
            "%(count)s cases about your declaration %(number)s: answer by %(day)s",
            count,
        )
        body = _("Uses were declared that nothing allowed. Each case says which, why, and what is asked for them.")
        return subject % {"count": count, "number": declaration.pk, "day": due}, body

    def to_holders() -> tuple[str, str]:
        subject = _("Your works were used without permission: your society asks for compensation")
        return subject, _("You see which works, how they were used, and how it goes on.")

    one = link_to("licensing:case", first)
    link = one if count == 1 else link_to("licensing:cases")
    tell_staff(licence.licensee_id, "licensee", "cases.view", key=key, said=to_licensee, link=link)
    tell_representatives(told.values("holder_id"), key=key, said=to_holders, link=link_to("licensing:cases"))
    data = {"declaration": declaration.pk, "cases": cases, "count": count, "due_on": due}
    notices.publish(organisation_id=licence.licensee_id, kind="case.opened", key=key, data=data)
