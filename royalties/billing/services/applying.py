"""Bank entries become receipts: by a person, or by themselves where number, amount and payer agree (`billing.matching`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Final

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import SYSTEM, Actor, Conflict, NotFound, Reference, Refusal
from licensing.licences.models import Licence
from licensing.tariffs.currencies import MINOR_DIGITS
from royalties.bank import services as bank
from royalties.bank.core import Rate
from royalties.bank.models import Entry, ExchangeRate
from royalties.billing import core, matching
from royalties.billing.matching import Candidate, Suggestion
from royalties.billing.models import Invoice, KeptPayment, Receipt
from royalties.billing.services.guards import enter
from royalties.billing.services.losses import own_invoice
from royalties.billing.services.receipts import Origin, record_receipt
from royalties.ledger.services import Transfer, account, post

# A name without what says that it is a company, and without blanks and signs: what banks cut and abbreviate.
_COMPANY: Final = r"주식회사|유한회사|㈜|\(주\)|\m(inc|ltd|limited|llc|corp|corporation|co|gmbh)\M"
_PLAIN: Final = f"regexp_replace(regexp_replace(lower(#), '{_COMPANY}', '', 'g'), '[^0-9a-z가-힣]', '', 'g')"


def _query() -> str:
    text = (Path(__file__).parent.parent / "matching.sql").read_text(encoding="utf-8")
    columns = {"payer_plain": "e.counterparty", "name_plain": "o.name", "name_ko_plain": "o.name_ko"}
    for name, column in columns.items():
        text = text.replace(f"{{{name}}}", _PLAIN.replace("#", column))
    return text


_MATCHING: Final = _query()
_REASONS: Final = (matching.NUMBER, matching.SHORT_NUMBER, matching.AMOUNT, matching.NAMED, matching.BEFORE)
RECEIPT: Final = "receipt"


def candidates(society_id: int, entries: Sequence[int] | None = None) -> list[Candidate]:
    """For incoming entries of a society that are not applied (these, or all), the invoices for which something speaks."""
    with connection.cursor() as cursor:
        cursor.execute(_MATCHING, {"society": society_id, "entries": list(entries) if entries is not None else None})
        return [
            Candidate(
                entry, invoice, left, still_open, licensee, same,
                frozenset(reason for reason, holds in zip(_REASONS, holding, strict=True) if holds),
            )
            for entry, invoice, left, still_open, licensee, same, *holding in cursor.fetchall()
        ]  # fmt: skip


def suggestions(society_id: int, entries: Sequence[int]) -> dict[int, tuple[Suggestion, ...]]:
    """What these entries may be for, the likeliest first."""
    return matching.suggestions(candidates(society_id, entries)) if entries else {}


@transaction.atomic
def apply_entry(
    *,
    actor: Actor,
    entry: Entry,
    invoices: Sequence[Invoice],
    amount: int | None = None,
    charges: int = 0,
    rate: ExchangeRate | None = None,
    why: str = "",
) -> list[Receipt]:
    """Book an incoming entry as receipts for these invoices, in their order, as far as it goes; what is left stays to be applied.

    `amount` bounds what is taken of the entry. `charges`: what banks kept on the way, borne by the society, for a single invoice that
    is thereby paid in full. Another currency needs a rate: the given one, the bank's own, or the one recorded for the day.
    """
    enter(actor, entry.society_id, "billing.manage")
    entry = bank.held(entry)
    if entry.sign != 1 or not entry.left:
        raise Conflict("entry_is_applied", _("Nothing is left of this entry to be applied."))
    if entry.reversal:
        raise Refusal("reversal", _("This entry takes an earlier one back. It pays no invoice."))
    budget = min(entry.left, amount) if amount is not None else entry.left
    if budget < 1:
        raise Refusal("bad_amount", _("An amount is a whole number of minor units above zero."), pointer="/amount")
    made = []
    for asked in invoices:
        invoice = own_invoice(actor, asked.pk)
        if budget and invoice.open:
            receipt, taken = _applied(actor, entry, invoice, budget, charges if len(invoices) == 1 else 0, rate, why)
            budget -= taken
            made.append(receipt)
    if not made:
        raise Refusal("nothing_open", _("Nothing is open on these invoices."))
    return made


def _applied(
    actor: Actor, entry: Entry, invoice: Invoice, budget: int, charges: int, rate: ExchangeRate | None, why: str
) -> tuple[Receipt, int]:
    """One receipt, and what of the entry it took."""
    origin = Origin(entry, bank.source(entry), bank.effective_day(entry, timezone.localdate()))
    settled, taken = min(budget, invoice.open), min(budget, invoice.open)
    if entry.currency != invoice.currency:
        used = rate or _rate(actor, entry, invoice.currency)
        settled, taken = _exchanged(entry, invoice, budget, used)
        origin = replace(origin, paid=taken, rate=used)
    if charges:
        _check_charges(invoice, settled, charges)
    receipt = record_receipt(
        actor=actor, invoice=invoice, amount=settled + charges, charges=charges, received_on=entry.booked_on,
        bank_ref=f"{entry.bank_ref[:70]} {entry.pk}/{invoice.pk}", origin=origin,
    )  # fmt: skip
    to = Reference(RECEIPT, receipt.pk)
    bank.apply(actor=actor, entry=entry, to=to, journal=receipt.journal, amount=taken, why=why)
    return receipt, taken


def _check_charges(invoice: Invoice, settled: int, charges: int) -> None:
    if not 0 < charges <= core.most_charges(invoice.currency) or settled + charges != invoice.open:
        raise Refusal(
            "bad_charges",
            _("Charges are what is missing to the full amount, at most %(most)s minor units.")
            % {"most": core.most_charges(invoice.currency)},
            pointer="/charges",
        )


def _rate(actor: Actor, entry: Entry, currency: str) -> ExchangeRate:
    """How the entry's currency became the invoice's: by what the bank says was ordered, else as recorded for the day."""
    if entry.instructed_currency == currency and entry.instructed_amount:
        arrived = Decimal(entry.amount).scaleb(-MINOR_DIGITS[entry.currency])
        ordered = Decimal(entry.instructed_amount).scaleb(-MINOR_DIGITS[currency])
        return bank.record_rate(
            actor=actor, society=entry.account.society, base=currency, quote=entry.currency, rate=round(arrived / ordered, 10),
            on=entry.value_on, source=f"bank: ordered {ordered} {currency}, booked {arrived} {entry.currency} ({entry.bank_ref})",
        )  # fmt: skip
    found = bank.rate_for(society_id=entry.society_id, base=currency, quote=entry.currency, on=entry.value_on)
    if found is None:
        raise Refusal(
            "no_rate",
            _("There is no rate of %(base)s in %(quote)s for %(day)s. Record it with its source first.")
            % {"base": currency, "quote": entry.currency, "day": entry.value_on},
            pointer="/rate",
        )
    return found


def _exchanged(entry: Entry, invoice: Invoice, budget: int, used: ExchangeRate) -> tuple[int, int]:
    """What is settled, in the invoice's currency, and what that takes of the entry, in its own. Rounded half up, once."""
    if (used.base, used.quote) != (invoice.currency, entry.currency):
        raise Refusal("other_rate", _("The rate is between other currencies."), pointer="/rate")
    rate = Rate(used.base, used.quote, used.rate)
    whole = entry.instructed_currency == invoice.currency and budget == entry.amount
    value = entry.instructed_amount if whole and entry.instructed_amount else rate.to_base(budget)
    if value <= invoice.open:
        if not value:
            raise Refusal("too_little", _("That is less than the smallest unit of the invoice's currency."))
        return value, budget
    return invoice.open, max(1, min(budget, rate.to_quote(invoice.open)))


@transaction.atomic
def link_receipt(*, actor: Actor, entry: Entry, receipt: Receipt) -> Receipt:
    """Say that a receipt that was recorded by hand is this entry: nothing is booked anew."""
    enter(actor, entry.society_id, "billing.manage")
    entry = bank.held(entry)
    if receipt.society_id != entry.society_id:
        raise NotFound(_("There is no such receipt."))
    same = receipt.invoice.currency == entry.currency and receipt.amount - receipt.charges == entry.left
    if not same or receipt.entry_id is not None or entry.sign != 1 or entry.parked_id is not None:
        raise Conflict("other_receipt", _("This receipt is of another amount or has its bank entry already."))
    if Receipt.objects.filter(pk=receipt.pk, entry=None).update(entry=entry) != 1:
        raise Conflict("other_receipt", _("This receipt is of another amount or has its bank entry already."))
    to = Reference(RECEIPT, receipt.pk)
    bank.apply(actor=actor, entry=entry, to=to, journal=receipt.journal, why=_("recorded by hand before"))
    receipt.entry = entry
    return receipt


@transaction.atomic
def keep_for_licence(*, actor: Actor, entry: Entry, licence: Licence) -> KeptPayment:
    """Keep what is left of a payment for a licence's next invoices: in the book as unapplied, applied by itself as they come."""
    enter(actor, entry.society_id, "billing.manage")
    if licence.society_id != entry.society_id:
        raise NotFound(_("There is no such licence."))
    entry = bank.park(actor=actor, entry=entry)
    kept, new = KeptPayment.objects.get_or_create(entry=entry, defaults={"licence": licence})
    if kept.licence_id != licence.pk:
        raise Conflict("kept_otherwise", _("This payment is kept for another licence already."))
    if new:
        data = {"amount": entry.left, "licence": licence.ref}
        about = Reference("bank_entry", entry.pk)
        record(actor=actor, verb="bank_entry.kept", object=about, organisation_id=entry.society_id, data=data)
    return kept


@transaction.atomic
def book_charges(*, actor: Actor, entry: Entry) -> Entry:
    """An outgoing entry was the bank's own charge: charges ─▶ bank."""
    enter(actor, entry.society_id, "billing.manage")
    entry = bank.held(entry)
    if entry.sign != -1 or not entry.left or entry.applied:
        raise Conflict("entry_is_applied", _("Nothing is left of this entry to be applied."))
    charges = account(society_id=entry.society_id, kind="charges", currency=entry.currency)
    journal = post(
        society_id=entry.society_id, kind="charges", key=f"charges:{entry.pk}",
        effective_on=bank.effective_day(entry, entry.booked_on),
        transfers=[Transfer(charges, bank.source(entry), entry.left)], actor=actor,
    )  # fmt: skip
    data = {"amount": entry.left, "currency": entry.currency}
    bank.apply(actor=actor, entry=entry, to=Reference("bank_charges", entry.pk), journal=journal)
    about = Reference("bank_entry", entry.pk)
    record(actor=actor, verb="bank_charges.booked", object=about, organisation_id=entry.society_id, data=data)
    return entry


@dataclass(frozen=True, slots=True)
class Matched:
    """What matching did by itself, and what it could not, with why."""

    applied: int
    refused: tuple[str, ...] = ()


def match(society_id: int, *, entries: Sequence[int] | None = None, actor: Actor = SYSTEM) -> Matched:
    """Apply what is certain: by number, amount and payer; receipts recorded by hand; payments kept for a licence. Safe to run twice."""
    applied, refused = 0, []
    for entry, invoices, receipt in [*_by_hand(society_id), *_kept(society_id), *_certain(society_id, entries)]:
        try:
            if receipt is not None:
                link_receipt(actor=actor, entry=entry, receipt=receipt)
            else:
                apply_entry(actor=actor, entry=entry, invoices=invoices, why=_("number, amount and payer agree"))
            applied += 1
        except Refusal as refusal:  # somebody was quicker, or the day is closed: a person looks at it
            refused.append(f"{entry.bank_ref}: {refusal}")
    return Matched(applied, tuple(refused))


_Case = tuple[Entry, list[Invoice], Receipt | None]


def _certain(society_id: int, entries: Sequence[int] | None) -> list[_Case]:
    """Each invoice in one of them only: two payments of the same invoice are for a person to look at."""
    found = matching.suggestions(candidates(society_id, entries))
    sure = [each for every in found.values() for each in every if each.certain]
    named: dict[int, int] = {}
    for each in sure:
        for invoice in each.invoices:
            named[invoice] = named.get(invoice, 0) + 1
    sure = [each for each in sure if all(named[invoice] == 1 for invoice in each.invoices)]
    held = Entry.objects.in_bulk([each.entry for each in sure])
    invoices = Invoice.objects.in_bulk([pk for each in sure for pk in each.invoices])
    return [(held[each.entry], [invoices[pk] for pk in each.invoices], None) for each in sure]


def _by_hand(society_id: int) -> list[_Case]:
    """Receipts recorded by hand under the very reference that the bank gives the entry."""
    recorded = Receipt.objects.filter(
        society_id=society_id, entry=None, bank_ref__in=bank.open_entries(society_id, 1).values("bank_ref")
    )
    found = {each.bank_ref: each for each in recorded.select_related("invoice", "journal")}
    entries = bank.open_entries(society_id, 1).filter(bank_ref__in=found, parked=None, applied=0)
    return [(entry, [], found[entry.bank_ref]) for entry in entries]


def _kept(society_id: int) -> list[_Case]:
    waiting = KeptPayment.objects.filter(entry__society_id=society_id).exclude(entry__status=Entry.Status.APPLIED)
    cases: list[_Case] = []
    for kept in waiting.select_related("entry"):
        owed = Invoice.objects.unpaid().filter(licence_id=kept.licence_id, currency=kept.entry.currency)
        invoices = list(owed.exclude(receipts__entry_id=kept.entry_id).order_by(F("due_on"), "pk"))
        if invoices:
            cases.append((kept.entry, invoices, None))
    return cases
