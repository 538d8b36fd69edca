"""What waits to be billed: declarations that no invoice covers, prices and estimates that have to be corrected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.identity.core import Actor
from licensing.declarations.models import Declaration, ReportDuty
from licensing.licences.models import Licence
from licensing.tariffs.models import TariffVersion
from royalties.billing.models import Invoice, InvoiceDeclaration
from royalties.billing.services.guards import Period

# Why what was billed for a period is no longer right.
REASONS = {
    "replaced": _("other rates were determined with effect from then"),
    "nil": _("estimated, and reported since as no use"),
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """Accepted declarations of one licence that no invoice covers yet, and the billing period to bill them for."""

    licence: Licence
    period: Period
    declarations: tuple[Declaration, ...]
    late: bool  # an invoice for that period exists already


def waiting(actor: Actor) -> list[Waiting]:
    """A society's accepted declarations without an invoice, by licence and billing period, oldest first."""
    billed = InvoiceDeclaration.objects.values("declaration_id")
    open_ones = (
        Declaration.objects.visible_to(actor)
        .billable()
        .exclude(pk__in=billed)
        .select_related("licence__licensee", "licence__society")
        .order_by("period", "id")
    )
    if not actor.is_system:
        open_ones = open_ones.filter(licence__society_id=actor.organisation_id)
    declarations = list(open_ones)
    invoiced = _periods_billed({each.licence_id for each in declarations})
    groups: dict[tuple[int, Period], list[Declaration]] = {}
    for each in declarations:
        groups.setdefault((each.licence_id, _billing_period(each, invoiced.get(each.licence_id, []))), []).append(each)
    return [
        Waiting(found[0].licence, period, tuple(found), period in invoiced.get(licence, []))
        for (licence, period), found in groups.items()
    ]


def adjustments(actor: Actor) -> QuerySet[Invoice]:
    """The last invoices of periods whose rates were replaced or whose estimate turned out as no use, oldest first.

    Billing the period again gives the difference. `reason` is one of `REASONS`.
    """
    own = Invoice.objects.visible_to(actor).of_periods()
    if not actor.is_system:
        own = own.filter(society_id=actor.organisation_id or 0)
    replaced = TariffVersion.objects.filter(status=TariffVersion.Status.REPLACED).values("pk")
    under_replaced = Q(confirmed__in=replaced) | Q(confirmed=None, version__in=replaced)
    nil = ReportDuty.objects.filter(
        licence=OuterRef("licence"), period=OuterRef("period"), status=ReportDuty.Status.NIL
    )
    later = Invoice.objects.of_periods().filter(
        licence=OuterRef("licence"), period=OuterRef("period"), pk__gt=OuterRef("pk")
    )
    estimate_of_nothing = Q(kind=Invoice.Kind.ESTIMATE, confirmed=None) & Exists(nil)
    found = own.filter(under_replaced | estimate_of_nothing).exclude(Exists(later))
    return found.annotate(replaced=Q(under_replaced)).select_related("licence", "licensee", "version").order_by("id")


def _periods_billed(licences: set[int]) -> dict[int, list[Period]]:
    found: dict[int, list[Period]] = {}
    for licence, period in (
        Invoice.objects.of_periods().filter(licence_id__in=licences).order_by("id").values_list("licence_id", "period")
    ):
        found.setdefault(licence, []).append((period.lower, period.upper))
    return found


def _billing_period(declaration: Declaration, billed: Sequence[Period]) -> Period:
    """The period of an earlier invoice that holds this declaration, else the declaration's own."""
    own = (declaration.period.lower, declaration.period.upper)
    return next((period for period in billed if period[0] <= own[0] and own[1] <= period[1]), own)
