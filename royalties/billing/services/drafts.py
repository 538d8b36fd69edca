"""What could be billed now: declarations that no invoice covers, and the invoice that they would give."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict, Forbidden, NotFound, Refusal
from licensing.declarations.models import Declaration
from licensing.declarations.rating import quantities, rate_declarations
from licensing.licences.models import Licence
from licensing.tariffs import periods
from licensing.tariffs.core import Rating, parse
from licensing.tariffs.models import TariffVersion
from licensing.tariffs.services import version_for_period
from royalties.billing import core
from royalties.billing.models import Invoice, InvoiceDeclaration, VatRule

Period = tuple[datetime.date, datetime.date]
LONGEST = datetime.timedelta(days=366 * 5)


@dataclass(frozen=True, slots=True)
class Draft:
    """An invoice before it is issued: new total less what was billed before. Minor units."""

    licence: Licence
    period: Period
    rating: Rating
    declarations: tuple[Declaration, ...]
    earlier: tuple[Invoice, ...]
    lines: tuple[core.Line, ...]
    previously_billed: int
    net: int
    vat: int
    vat_percent: Any
    issued_on: datetime.date
    by_use: dict[str, int] = field(default_factory=dict)

    @property
    def gross(self) -> int:
        return self.net + self.vat

    @property
    def currency(self) -> str:
        return self.rating.currency


@dataclass(frozen=True, slots=True)
class Waiting:
    """Accepted declarations of one licence that no invoice covers yet, and the billing period to bill them for."""

    licence: Licence
    period: Period
    declarations: tuple[Declaration, ...]
    late: bool  # an invoice for that period exists already


class NothingNew(Refusal):
    """Everything declared for the period is billed already; `invoice` is the last one, None where there is none."""

    def __init__(self, detail: str, invoice: Invoice | None) -> None:
        super().__init__("nothing_to_bill", detail)
        self.invoice = invoice


def enter(actor: Actor, society_id: int, permission: str) -> None:
    """NotFound to strangers, Forbidden to those whose role lacks the permission and to the sandbox."""
    if not actor.is_system and actor.organisation_id != society_id:
        raise NotFound(_("There is no such invoice or licence."))
    actor.require(permission)
    if actor.sandbox:
        raise Forbidden(_("A test token moves no money. Use a live one."))


def draft(*, actor: Actor, licence: Licence, period: Period, issued_on: datetime.date | None = None) -> Draft:
    """The invoice that this licence would get for this half-open period now; changes nothing.

    Takes all accepted declarations whose own period lies in it, rates them together, and subtracts earlier invoices for
    the same period. Raises Refusal where lines are unpriced, a base is missing, another period overlaps, nothing is new
    (`NothingNew`), or the total is not above what was billed before.
    """
    may_bill(actor, licence)
    start, end = check_period(period)
    earlier = tuple(Invoice.objects.of_use().filter(licence=licence, period=DateRange(start, end)).order_by("id"))
    _no_overlap(licence, (start, end))
    declared = Declaration.objects.billable().filter(licence=licence, period__contained_by=DateRange(start, end))
    declarations = tuple(declared.order_by("id"))
    billed = set(
        InvoiceDeclaration.objects.filter(declaration__in=declarations).values_list("declaration_id", flat=True)
    )
    new = tuple(each for each in declarations if each.pk not in billed)
    if not new:
        raise NothingNew(_nothing(licence, (start, end), earlier), earlier[-1] if earlier else None)
    chosen = Declaration.objects.filter(pk__in=[each.pk for each in declarations])
    version = version_for_period(licence.tariff, start, end)
    _fits(licence, (start, end), version)
    rating = rate_declarations(licence=licence, period=(start, end), declarations=chosen, version=version)
    rating.require_billable()
    asked = _priced(licence, (start, end), rating, new, earlier, issued_on or timezone.localdate())
    return replace(asked, by_use=core.by_use(rating, parse(version.document), quantities(chosen), asked.net))


def _priced(
    licence: Licence,
    period: Period,
    rating: Rating,
    new: tuple[Declaration, ...],
    earlier: tuple[Invoice, ...],
    issued_on: datetime.date,
) -> Draft:
    before = sum(invoice.net for invoice in earlier)
    net = rating.amount - before
    if any(invoice.currency != rating.currency for invoice in earlier):
        raise Conflict("currency_changed", _("Earlier invoices for this period are in another currency."))
    if net < 0:
        raise Refusal(
            "credit_needed",
            _(
                "The new total is %(less)s minor units less than what was billed: that takes a credit note, which does not exist yet."
            )
            % {"less": -net},
        )
    if net == 0:
        detail = (
            _("The new declarations change nothing: the total is what was billed already.")
            if earlier
            else _("What was declared for this period costs nothing, so there is nothing to bill.")
        )
        raise Refusal("nothing_to_bill", detail)
    percent = (
        VatRule.objects.filter(society_id=licence.society_id, valid__contains=issued_on)
        .values_list("percent", flat=True)
        .first()
    )
    return Draft(
        licence=licence, period=period, rating=rating, declarations=new, earlier=earlier,
        lines=core.lines(rating, [core.Earlier(invoice.number, invoice.net) for invoice in earlier]),
        previously_billed=before, net=net, vat=core.vat_of(net, percent), vat_percent=percent, issued_on=issued_on,
    )  # fmt: skip


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


def check_period(period: Period) -> Period:
    start, end = period
    if end <= start:
        raise Refusal(
            "empty_period", _("The end is exclusive and must lie after the first day."), pointer="/period_end"
        )
    if end - start > LONGEST:
        raise Refusal("period_too_long", _("A billing period is at most five years long."), pointer="/period_end")
    return start, end


def _fits(licence: Licence, period: Period, version: TariffVersion) -> None:
    """A tariff whose prices are for so many months is billed by just these periods."""
    months = parse(version.document).period_months
    periods.check_period(period, since=licence.valid.lower, until=licence.valid.upper, months=months)


def may_bill(actor: Actor, licence: Licence) -> None:
    """The society's finance people bill; the licensee sees that it may not, others see no licence."""
    if actor.organisation_id == licence.licensee_id and not actor.is_system:
        raise Forbidden(_("Only the society bills its licences."))
    enter(actor, licence.society_id, "billing.manage")


def _no_overlap(licence: Licence, period: Period) -> None:
    """Billing periods of a licence are equal or apart, or a declaration would count in two of them."""
    asked = DateRange(*period)
    of_licence = Invoice.objects.of_use().filter(licence=licence, period__overlap=asked)
    other = of_licence.exclude(period=asked).order_by("id").first()
    if other is not None:
        raise Conflict(
            "period_overlaps",
            _("Invoice %(number)s covers %(start)s to %(end)s (exclusive). Bill that period, or one beside it.")
            % {"number": other.number, "start": other.period.lower, "end": other.period.upper},
        )


def _nothing(licence: Licence, period: Period, earlier: Sequence[Invoice]) -> str:
    """Why there is nothing to bill, and what stands in the way where something does."""
    if earlier:
        return _("Everything that was declared for this period is billed: see invoice %(number)s.") % {
            "number": earlier[-1].number
        }
    across = (
        Declaration.objects.billable()
        .filter(licence=licence, period__overlap=DateRange(*period))
        .order_by("id")
        .first()
    )
    if across is not None:
        return _("Declaration #%(id)s covers %(start)s to %(end)s (exclusive), which reaches beyond this period.") % {
            "id": across.pk, "start": across.period.lower, "end": across.period.upper,
        }  # fmt: skip
    return _("No accepted declaration of this licence lies in this period.")


def _periods_billed(licences: set[int]) -> dict[int, list[Period]]:
    found: dict[int, list[Period]] = {}
    for licence, period in (
        Invoice.objects.of_use().filter(licence_id__in=licences).order_by("id").values_list("licence_id", "period")
    ):
        found.setdefault(licence, []).append((period.lower, period.upper))
    return found


def _billing_period(declaration: Declaration, billed: Sequence[Period]) -> Period:
    """The period of an earlier invoice that holds this declaration, else the declaration's own."""
    own = (declaration.period.lower, declaration.period.upper)
    return next((period for period in billed if period[0] <= own[0] and own[1] <= period[1]), own)
