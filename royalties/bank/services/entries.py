"""What a bank entry is for: applied in whole or in parts, each once; or kept as unapplied until somebody finds out.

These functions change only the bank's side. Whoever applies has posted the journal before, in the same transaction, and
asks `source` which account the money is to be taken from.
"""

from __future__ import annotations

import datetime

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Reference, Refusal
from royalties.bank.models import Application, Entry
from royalties.bank.services.guards import enter, who
from royalties.ledger.models import Journal
from royalties.ledger.services import Transfer, account, closed_through, post


def open_entries(society_id: int, sign: int) -> QuerySet[Entry]:
    """Entries that came in (1) or went out (-1) and of which something is still to be applied, the largest first."""
    return Entry.objects.waiting().filter(society_id=society_id, sign=sign).order_by("-amount", "id")


def source(entry: Entry) -> int:
    """The ledger account that an entry's money is taken from: the bank, or what was kept as unapplied of this entry."""
    kind, owner = ("unapplied", entry.pk) if entry.parked_id else ("bank", None)
    return account(society_id=entry.society_id, kind=kind, owner_id=owner, currency=entry.currency)


def effective_day(entry: Entry, today: datetime.date) -> datetime.date:
    """The day on which what an entry was for is booked: the bank's, unless that is closed; today for what was kept unapplied."""
    if entry.parked_id:
        return max(entry.booked_on, today)
    closed = closed_through(entry.society_id)
    return entry.booked_on if closed is None or entry.booked_on > closed else closed + datetime.timedelta(days=1)


def held(entry: Entry) -> Entry:
    """The entry, locked: of two who apply it at once the second looks at what the first left of it."""
    return Entry.objects.select_for_update(no_key=True, of=("self",)).select_related("account").get(pk=entry.pk)


@transaction.atomic
def apply(
    *, actor: Actor, entry: Entry, to: Reference, journal: Journal, amount: int | None = None, why: str = ""
) -> Application:
    """Say what (a part of) an entry was for. None: all that is left of it. Raises Conflict where that much is not left.

    The update compares what was read with what is stored, so of two at once exactly one is made.
    """
    asked = entry.left if amount is None else amount
    if not 1 <= asked <= entry.left:
        raise Conflict(
            "entry_is_applied",
            _("Of this bank entry only %(left)s minor units are left to be applied.") % {"left": entry.left},
        )
    status = Entry.Status.APPLIED if asked == entry.left else Entry.Status.PART
    if status == Entry.Status.PART and entry.parked_id:
        status = Entry.Status.PARKED
    same = Entry.objects.filter(pk=entry.pk, applied=entry.applied, parked_id=entry.parked_id)
    if same.update(applied=F("applied") + asked, status=status) != 1:
        raise Conflict("entry_is_applied", _("Somebody applied this bank entry meanwhile. Look again."))
    try:
        with transaction.atomic():
            made = Application.objects.create(
                entry=entry, object_kind=to.kind, object_id=int(to.id), amount=asked, journal=journal, applied_by=who(actor),
                why=why[:200],
            )  # fmt: skip
    except IntegrityError as error:
        raise Conflict("entry_is_applied", _("This bank entry is applied to that already.")) from error
    entry.applied, entry.status = entry.applied + asked, status
    data = {"amount": asked, "to": f"{to.kind}:{to.id}", "journal": journal.pk, "reason": why[:200]}
    about = Reference("bank_entry", entry.pk)
    record(actor=actor, verb="bank_entry.applied", object=about, organisation_id=entry.society_id, data=data)
    return made


@transaction.atomic
def park(*, actor: Actor, entry: Entry) -> Entry:
    """Book what is left of an incoming entry as received and not applied: bank ─▶ unapplied (entry). A second time changes nothing."""
    enter(actor, entry.society_id)
    entry = held(entry)
    if entry.parked_id is not None:
        return entry
    if entry.sign != 1 or not entry.left:
        raise Refusal("not_to_be_parked", _("Only money that came in and is not applied can be kept as unapplied."))
    unapplied = account(society_id=entry.society_id, kind="unapplied", owner_id=entry.pk, currency=entry.currency)
    journal = post(
        society_id=entry.society_id, kind="unapplied", key=f"unapplied:{entry.pk}",
        effective_on=effective_day(entry, entry.booked_on),
        transfers=[Transfer(source(entry), unapplied, entry.left)], actor=actor,
    )  # fmt: skip
    Entry.objects.filter(pk=entry.pk).update(parked=journal, status=Entry.Status.PARKED)
    entry.parked, entry.status = journal, Entry.Status.PARKED
    data = {"amount": entry.left, "journal": journal.pk}
    about = Reference("bank_entry", entry.pk)
    record(actor=actor, verb="bank_entry.parked", object=about, organisation_id=entry.society_id, data=data)
    return entry
