"""The document that a licence would get now for a period: an invoice, a credit note, or none."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict, Refusal
from licensing.declarations.models import Declaration, ReportDuty
from licensing.declarations.rating import quantities, rate_declarations
from licensing.licences.models import Licence
from licensing.tariffs import periods
from licensing.tariffs.core import Quantity, Rating, Schedule, parse
from licensing.tariffs.models import TariffVersion
from licensing.tariffs.services import version_for_period
from royalties.billing import core, crediting
from royalties.billing.crediting import Favour, Part
from royalties.billing.models import Invoice, InvoiceDeclaration
from royalties.billing.services.bases import Basis, nothing_used
from royalties.billing.services.guards import Period, check_period, invoices_of, may_bill, no_overlap
from royalties.billing.services.standing import favour, standing
from royalties.billing.services.vat import vat_on


@dataclass(frozen=True, slots=True)
class Total:
    """What everything known makes a licence owe for a period, and by what: declarations, or else a basis."""

    rating: Rating
    version: TariffVersion
    schedule: Schedule
    kind: str  # of the invoice that would ask for it
    quantities: Sequence[Quantity]
    declarations: tuple[Declaration, ...] = ()  # those that no invoice covers yet
    basis: Basis | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """An invoice or a credit note before it is issued: new total less what was billed before. Minor units.

    `net` below zero is a credit note, with the `parts` that it takes off earlier invoices; zero is no document: the
    declarations come to stand with the last invoice, as they cost what was billed already.
    """

    licence: Licence
    period: Period
    total: Total
    earlier: tuple[Invoice, ...]
    lines: tuple[core.Line, ...]
    previously_billed: int
    net: int
    vat: int
    vat_percent: Any
    issued_on: datetime.date
    parts: tuple[Part, ...] = ()
    carried: Favour = field(default_factory=Favour)
    by_use: dict[str, int] = field(default_factory=dict)
    vat_basis: str = ""

    @property
    def kind(self) -> str:
        return str(Invoice.Kind.CREDIT) if self.net < 0 else self.total.kind

    @property
    def kind_label(self) -> Any:
        return Invoice.Kind(self.kind).label

    @property
    def rating(self) -> Rating:
        return self.total.rating

    @property
    def declarations(self) -> tuple[Declaration, ...]:
        return self.total.declarations

    @property
    def gross(self) -> int:
        return self.net + self.vat

    @property
    def asked(self) -> int:
        return self.gross - self.carried.gross

    @property
    def currency(self) -> str:
        return self.rating.currency

    @property
    def returned(self) -> int:
        """What of a credit note stands in the licensee's favour, since it was paid already."""
        return sum(part.gross for part in self.parts if part.returned)

    @property
    def stands_with(self) -> Invoice | None:
        """The invoice that the declarations stand with where nothing is to be billed: the last that asks for money."""
        asking = [invoice for invoice in self.earlier if invoice.kind != Invoice.Kind.CREDIT]
        return asking[-1] if asking else None


class NothingNew(Refusal):
    """Everything known of the period is billed already; `invoice` is the last one, None where there is none."""

    def __init__(self, detail: str, invoice: Invoice | None) -> None:
        super().__init__("nothing_to_bill", detail)
        self.invoice = invoice


def draft(*, actor: Actor, licence: Licence, period: Period, issued_on: datetime.date | None = None) -> Draft:
    """What billing this licence for this half-open period would give now; changes nothing.

    Takes all accepted declarations whose own period lies in it, rates them together under the version that is in force,
    and subtracts what was billed for the same period before: by use, by estimate, in advance, less what was credited.
    Raises Refusal where lines are unpriced, a base is missing, another period overlaps, nothing is new (`NothingNew`),
    or less than was estimated is declared while a part of the period is still to be reported.
    """
    may_bill(actor, licence)
    period = check_period(period)
    earlier = invoices_of(licence, period)
    no_overlap(licence, period)
    declared = tuple(
        Declaration.objects.billable().filter(licence=licence, period__contained_by=DateRange(*period)).order_by("id")
    )
    billed = set(InvoiceDeclaration.objects.filter(declaration__in=declared).values_list("declaration_id", flat=True))
    new = tuple(each for each in declared if each.pk not in billed)
    basis = None if declared else _basis(licence, period, earlier)
    if not new and not replaced(earlier) and not _says_nothing_used(basis, earlier):
        raise NothingNew(_nothing(licence, period, earlier), earlier[-1] if earlier else None)
    if basis is not None:
        total = of_basis(licence, period, earlier, basis)
    else:
        total = _of_declarations(licence, period, earlier, declared, new)
    asked = drafted(licence, period, total, earlier, issued_on)
    if asked.net < 0 and _estimate(earlier) and (day := _unreported(licence, period, declared)):
        raise Refusal(
            "not_all_reported",
            _(
                "Less is declared so far than was estimated, but what was used from %(day)s on is not reported yet. "
                "Bill the period once it is declared as a whole."
            )
            % {"day": day},
        )
    return asked


def replaced(earlier: Sequence[Invoice]) -> bool:
    """Whether the rates that were billed last were replaced since, with effect from their first day."""
    version = (earlier[-1].confirmed or earlier[-1].version) if earlier else None
    return version is not None and version.status == TariffVersion.Status.REPLACED


def _says_nothing_used(basis: Basis | None, earlier: Sequence[Invoice]) -> bool:
    """Whether the licensee reported that nothing was used, and nothing was billed yet or an estimate still stands."""
    if basis is None or basis.source != "nil":
        return False
    return not earlier or (_estimate(earlier) and earlier[-1].confirmed is None)


def _estimate(earlier: Sequence[Invoice]) -> bool:
    """Whether what was billed last is still an estimate."""
    return bool(earlier) and earlier[-1].rating.get("basis", {}).get("source") in ("declarations", "request")


def _basis(licence: Licence, period: Period, earlier: Sequence[Invoice]) -> Basis | None:
    """What a period without declarations is rated by: a report that nothing was used, else what its last invoice rests on."""
    if first_gap(period, _duties(licence, period, ["nil"])) is None:
        return Basis("nil")
    kept = earlier[-1].rating.get("basis") if earlier else None
    return Basis.from_data(kept) if kept else None


def _unreported(licence: Licence, period: Period, declared: Sequence[Declaration]) -> datetime.date | None:
    """The first day of the period, within the licence's term, that nothing reports."""
    start, end = max(period[0], licence.valid.lower), min(period[1], licence.valid.upper or period[1])
    reported = [(each.period.lower, each.period.upper) for each in declared]
    return first_gap((start, end), [*reported, *_duties(licence, period, ["nil", "waived"])])


def _duties(licence: Licence, period: Period, statuses: Sequence[str]) -> list[Period]:
    settled = ReportDuty.objects.filter(licence=licence, period__overlap=DateRange(*period), status__in=statuses)
    return [(each.lower, each.upper) for each in settled.values_list("period", flat=True)]


def first_gap(period: Period, pieces: Sequence[Period]) -> datetime.date | None:
    """The first day of a period that no piece covers; None where together they cover it."""
    day, end = period
    for start, until in sorted(pieces):
        if start > day:
            break
        day = max(day, until)
    return day if day < end else None


def _of_declarations(
    licence: Licence,
    period: Period,
    earlier: Sequence[Invoice],
    declared: Sequence[Declaration],
    new: tuple[Declaration, ...],
) -> Total:
    version = _version(licence, period, earlier)
    chosen = Declaration.objects.filter(pk__in=[each.pk for each in declared])
    rating = rate_declarations(licence=licence, period=period, declarations=chosen, version=version)
    return Total(rating, version, parse(version.document), str(Invoice.Kind.USE), quantities(chosen), new)


def of_basis(licence: Licence, period: Period, earlier: Sequence[Invoice], basis: Basis) -> Total:
    """What a period costs by something else than declarations."""
    version = _version(licence, period, earlier)
    schedule = parse(version.document)
    kind = _KINDS[basis.source]
    if basis.source == "nil":
        basis = nothing_used(schedule)
    return Total(basis.rated(licence, schedule), version, schedule, str(kind), basis.quantities, basis=basis)


_KINDS = {
    "declarations": Invoice.Kind.ESTIMATE,
    "request": Invoice.Kind.ESTIMATE,
    "fixed": Invoice.Kind.ADVANCE,
    "nil": Invoice.Kind.USE,
}


def _version(licence: Licence, period: Period, earlier: Sequence[Invoice]) -> TariffVersion:
    """The version that prices the period. One whose prices are for so many months is billed by just these periods."""
    version = version_for_period(licence.tariff, *period)
    if not earlier:
        months = parse(version.document).period_months
        periods.check_period(period, since=licence.valid.lower, until=licence.valid.upper, months=months)
    return version


def drafted(
    licence: Licence, period: Period, total: Total, earlier: tuple[Invoice, ...], issued_on: datetime.date | None
) -> Draft:
    """The document for this total: asks for the difference to what was billed, or gives it back."""
    rating, issued_on = total.rating, issued_on or timezone.localdate()
    rating.require_billable()
    if any(invoice.currency != rating.currency for invoice in earlier):
        raise Conflict("currency_changed", _("Earlier invoices for this period are in another currency."))
    before = sum(invoice.net for invoice in earlier)
    net = rating.amount - before
    if net == 0 and not earlier:
        raise Refusal(
            "nothing_to_bill", _("What was declared for this period costs nothing, so there is nothing to bill.")
        )
    percent, vat_basis = vat_on(licence.society_id, licence.licensee_id, issued_on)
    parts = crediting.credit(-net, standing(earlier)) if net < 0 else ()
    vat = core.vat_of(net, percent) if net > 0 else -sum(part.vat for part in parts)
    carried = favour(licence, rating.currency).towards(net, vat) if net > 0 else Favour()
    whole = core.by_use(rating, total.schedule, total.quantities, rating.amount)
    lines = core.lines(rating, [core.Earlier(invoice.number, invoice.net) for invoice in earlier])
    return Draft(
        licence=licence, period=period, total=total, earlier=earlier, previously_billed=before, net=net, vat=vat,
        lines=(*lines, core.carried_line(carried.gross)) if carried.gross else lines,
        vat_percent=percent if net > 0 else None, issued_on=issued_on, parts=parts, carried=carried,
        vat_basis=vat_basis if net > 0 else "", by_use=core.less_by_use(whole, [invoice.by_use for invoice in earlier]),
    )  # fmt: skip


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
