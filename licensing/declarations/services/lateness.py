"""Declarations that come late: after the day on which the report was due, or after its period was billed.

Billing stands above, so that what it did is read from the evidence that it left: which declarations an invoice covers.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Case, DateField, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce, Now, TruncDate

from accounts.evidence.models import Event
from licensing.declarations.models import Declaration, ReportDuty

_INVOICED = ("invoice.issued", "invoice.confirmed")


@dataclass(frozen=True, slots=True)
class Invoiced:
    """An invoice that covers a declaration."""

    number: str
    at: dt.datetime
    declaration: int


def with_lateness(declarations: QuerySet[Declaration]) -> QuerySet[Declaration]:
    """Each with `late_since`: the day on which the report was due, where it came later; none where it was in time.

    An amendment corrects what was in time, so that only the first declaration of a line can be late. One that is not
    handed in yet is late once its day has passed.
    """
    day = TruncDate(Coalesce("submitted_at", Now()))
    missed = ReportDuty.objects.filter(
        licence=OuterRef("licence"), period__overlap=OuterRef("period"), due_on__lt=OuterRef("came_on")
    ).exclude(status=ReportDuty.Status.WAIVED)
    due = Subquery(missed.order_by("due_on").values("due_on")[:1], output_field=DateField())
    late = Case(When(supersedes=None, then=due), default=None)
    return declarations.annotate(came_on=day, late_since=late)


def invoices_of(declaration: Declaration) -> list[Invoiced]:
    """The invoices that cover it, in their order."""
    return _invoiced(declaration.licence.society_id, [declaration.pk])


def billed_before(declaration: Declaration) -> Invoiced | None:
    """The invoice by which days of its period were billed under the licence before it came, or none."""
    others = Declaration.objects.filter(
        licence_id=declaration.licence_id, period__overlap=declaration.period, submitted_at__isnull=False
    ).exclude(pk=declaration.pk)
    found = _invoiced(declaration.licence.society_id, list(others.order_by("pk").values_list("pk", flat=True)[:100]))
    came = declaration.submitted_at
    return next((each for each in found if came is None or each.at < came), None)


def _invoiced(society_id: int, numbers: list[int]) -> list[Invoiced]:
    if not numbers:
        return []
    wanted = set(numbers)
    about = Event.objects.filter(object_kind="invoice", organisation_id=society_id, verb__in=_INVOICED)
    covering = Q()
    for number in numbers:
        covering |= Q(data__declarations__contains=number)
    found = about.filter(covering).order_by("id").values_list("data", "at")
    return [
        Invoiced(str(data.get("number", "")), at, covered)
        for data, at in found
        for covered in data["declarations"]
        if covered in wanted
    ]
