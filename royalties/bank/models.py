"""What banks say: a society's accounts, the statements of them, each entry, and exchange rates. It knows no invoice and no payout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation
from licensing.intake.models import StoredFile
from royalties.ledger.models import Journal

if TYPE_CHECKING:
    from accounts.identity.core import Actor


class OwnedQuerySet(models.QuerySet["BankAccount"]):
    def visible_to(self, actor: Actor) -> OwnedQuerySet:
        """A society sees its own, and only roles with a look at money do. There is no money in the sandbox."""
        if actor.is_system:
            return self
        if not actor.is_society or not actor.can("billing.view") or actor.sandbox:
            return self.none()
        return self.filter(society_id=actor.organisation_id)


class BankAccount(models.Model):
    """An account of the society at a bank, in one currency. In the ledger all accounts of a currency are one: `bank`.

    `number` is the IBAN without blanks or, as in Korea, the digits that the bank gives. `columns` maps what an entry needs
    to the headings of the bank's CSV (`csv.COLUMNS`), as saved from the last import.
    """

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    name = models.CharField(max_length=100)
    bank = models.CharField(max_length=100)
    bic = models.CharField(max_length=11, blank=True, default="")
    number = models.CharField(max_length=34)
    currency = models.CharField(max_length=3)
    columns = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(
                fields=["society", "number", "currency"],
                name="bank_account_is_named_once",
                violation_error_message=_("This account is recorded already."),
            ),
            models.CheckConstraint(condition=Q(number__regex=r"^[A-Z0-9-]{4,34}$"), name="bank_account_has_a_number"),
            models.CheckConstraint(condition=Q(currency__regex="^[A-Z]{3}$"), name="bank_account_has_a_currency"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.currency})"

    @property
    def is_iban(self) -> bool:
        return self.number[:2].isalpha() and self.number[2:4].isdigit()


class BankStatement(models.Model):
    """What a bank says happened on an account: an opening balance, entries, a closing balance; they add up, or it is not kept.

    It follows the one before by its days and balances, unless somebody said why not (`gap`). `place` counts an account's
    imports, so that of two at once the second sees the first. `sha256` digests what it says, so that the same statement in
    another file is the same one.
    """

    account = models.ForeignKey(BankAccount, models.PROTECT, related_name="statements")
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")
    place = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    reference = models.CharField(max_length=70, blank=True, default="")
    sequence = models.BigIntegerField(null=True)
    first_day = models.DateField()
    last_day = models.DateField()
    opening = models.BigIntegerField()
    closing = models.BigIntegerField()
    credits = models.BigIntegerField(default=0)
    debits = models.BigIntegerField(default=0)
    entry_count = models.PositiveIntegerField(default=0)
    gap = models.CharField(max_length=300, blank=True, default="")
    imported_at = models.DateTimeField(auto_now_add=True)
    imported_by = models.JSONField(default=dict)

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["account", "sha256"], name="bank_statement_is_kept_once"),
            models.UniqueConstraint(fields=["account", "place"], name="bank_statement_has_its_own_place"),
            models.CheckConstraint(
                condition=Q(closing=F("opening") + F("credits") - F("debits")), name="bank_statement_adds_up"
            ),
            models.CheckConstraint(
                condition=Q(last_day__gte=F("first_day")), name="bank_statement_ends_after_it_begins"
            ),
        ]
        indexes = [models.Index(fields=["account", "last_day"], name="bank_statement_by_day")]

    def __str__(self) -> str:
        return self.reference or f"{self.account} {self.place}"


class EntryQuerySet(models.QuerySet["Entry"]):
    def visible_to(self, actor: Actor) -> EntryQuerySet:
        """As the accounts: the society's own, for roles with a look at money."""
        if actor.is_system:
            return self
        if not actor.is_society or not actor.can("billing.view") or actor.sandbox:
            return self.none()
        return self.filter(society_id=actor.organisation_id)

    def waiting(self) -> EntryQuerySet:
        """Those of which something is still to be applied."""
        return self.exclude(status=Entry.Status.APPLIED)


class Entry(models.Model):
    """One line of a bank statement: so much came in (sign 1) or went out (-1). Minor units; its facts never change.

    `applied` is how much of it is explained: a receipt, a refund, a payout. An incoming entry whose payer or invoice is not
    known yet can be `parked`: its money is in the book as unapplied, and is applied from there. `bank_ref` is the bank's own
    reference for it or, where the bank gives none, a digest of what it says; it counts once an account.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("to be applied")
        PARKED = "parked", _("kept as unapplied")
        PART = "part", _("partly applied")
        APPLIED = "applied", _("applied")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    account = models.ForeignKey(BankAccount, models.PROTECT, related_name="+")
    statement = models.ForeignKey(BankStatement, models.PROTECT, related_name="entries")
    position = models.PositiveIntegerField()
    sign = models.SmallIntegerField()
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    booked_on = models.DateField()
    value_on = models.DateField()
    bank_ref = models.CharField(max_length=100)
    end_to_end_id = models.CharField(max_length=35, blank=True, default="")
    batch_ref = models.CharField(
        max_length=35, blank=True, default=""
    )  # PmtInfId or MsgId of the order that it carries out
    reference = models.CharField(max_length=140, blank=True, default="")  # structured: a creditor's reference
    counterparty = models.CharField(max_length=140, blank=True, default="")
    counterparty_account = models.CharField(max_length=34, blank=True, default="")
    purpose = models.CharField(max_length=500, blank=True, default="")
    code = models.CharField(max_length=40, blank=True, default="")  # the bank's code of what kind of transaction it was
    return_reason = models.CharField(max_length=4, blank=True, default="")  # ISO 20022 code, where it returns a payment
    reversal = models.BooleanField(default=False)
    instructed_amount = models.BigIntegerField(null=True)  # what the payer ordered, before charges and exchange
    instructed_currency = models.CharField(max_length=3, blank=True, default="")
    rate = models.DecimalField(max_digits=20, decimal_places=10, null=True)  # the bank's own rate for it
    applied = models.BigIntegerField(default=0)
    parked = models.OneToOneField(Journal, models.PROTECT, null=True, related_name="+")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)

    objects = EntryQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["account", "bank_ref"], name="bank_entry_is_kept_once"),
            models.UniqueConstraint(fields=["statement", "position"], name="bank_entry_has_its_own_place"),
            models.CheckConstraint(condition=Q(sign__in=[1, -1], amount__gt=0), name="bank_entry_comes_in_or_goes_out"),
            models.CheckConstraint(
                condition=Q(applied__gte=0, applied__lte=F("amount")),
                name="bank_entry_is_applied_once",
                violation_error_message=_("More of this entry would be applied than came in."),
            ),
            models.CheckConstraint(condition=Q(parked=None) | Q(sign=1), name="bank_entry_parked_came_in"),
            models.CheckConstraint(
                condition=Q(status="applied", applied=F("amount"))
                | Q(status="part", applied__gt=0, applied__lt=F("amount"))
                | Q(status="parked", parked__isnull=False, applied__lt=F("amount"))
                | Q(status="open", parked=None, applied=0),
                name="bank_entry_status_says_what_is_applied",
            ),
        ]
        indexes = [
            models.Index(
                fields=["society", "sign", "-amount", "id"], name="bank_entry_waiting", condition=~Q(status="applied")
            ),
            models.Index(fields=["account", "booked_on", "id"], name="bank_entry_by_day"),
            models.Index(
                fields=["society", "end_to_end_id"], name="bank_entry_by_end_to_end", condition=~Q(end_to_end_id="")
            ),
        ]

    def __str__(self) -> str:
        return self.bank_ref

    @property
    def left(self) -> int:
        """What is still to be applied, in minor units."""
        return self.amount - self.applied

    @property
    def signed(self) -> int:
        return self.sign * self.amount


class Application(models.Model):
    """What a part of an entry was for: an object of a floor above, named by kind and id, and the journal that books it."""

    entry = models.ForeignKey(Entry, models.PROTECT, related_name="applications")
    object_kind = models.CharField(max_length=40)
    object_id = models.BigIntegerField()
    amount = models.BigIntegerField()
    journal = models.ForeignKey(Journal, models.PROTECT, related_name="+")
    applied_at = models.DateTimeField(auto_now_add=True)
    applied_by = models.JSONField(default=dict)
    why = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(
                fields=["entry", "object_kind", "object_id"], name="bank_entry_is_applied_to_it_once"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="bank_application_is_positive"),
        ]
        indexes = [models.Index(fields=["object_kind", "object_id"], name="bank_application_by_object")]


class StatementImport(models.Model):
    """One try to read a file for an account: what it gave, or why not, row by row. Tried again at will: it changes nothing twice."""

    class Status(models.TextChoices):
        DONE = "done", _("imported")
        UNCHANGED = "unchanged", _("known already")
        ASKS = "asks", _("does not follow the last one")
        REFUSED = "refused", _("refused")

    account = models.ForeignKey(BankAccount, models.PROTECT, related_name="+")
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices)
    entry_count = models.PositiveIntegerField(default=0)
    statements = models.ManyToManyField(BankStatement, related_name="+")
    code = models.CharField(max_length=60, blank=True, default="")
    detail = models.TextField(blank=True, default="")
    problems = models.JSONField(default=list)  # {row, column, value, reason}
    at = models.DateTimeField(auto_now_add=True)
    by = models.JSONField(default=dict)

    class Meta:
        app_label = "royalties"
        indexes = [models.Index(fields=["account", "-id"], name="bank_import_by_account")]


class ExchangeRate(models.Model):
    """For one unit of `base` so many units of `quote`, on a day, by a source. Never changed: a better one is a new row."""

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    base = models.CharField(max_length=3)
    quote = models.CharField(max_length=3)
    rate = models.DecimalField(max_digits=20, decimal_places=10)
    on = models.DateField()
    source = models.CharField(max_length=200)
    recorded_at = models.DateTimeField(auto_now_add=True)
    recorded_by = models.JSONField(default=dict)

    class Meta:
        app_label = "royalties"
        constraints = [
            models.CheckConstraint(condition=Q(rate__gt=0), name="exchange_rate_is_positive"),
            models.CheckConstraint(condition=~Q(base=F("quote")), name="exchange_rate_is_between_two"),
            models.CheckConstraint(condition=~Q(source=""), name="exchange_rate_has_a_source"),
        ]
        indexes = [models.Index(fields=["society", "base", "quote", "-on", "-id"], name="exchange_rate_by_day")]

    def __str__(self) -> str:
        return f"1 {self.base} = {self.rate.normalize():f} {self.quote}"
