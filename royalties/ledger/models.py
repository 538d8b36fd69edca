"""The ledger as Django reads it. `ledger.sql` makes the tables and defends them; only `services.py` writes postings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

from accounts.organisations.models import Organisation

if TYPE_CHECKING:
    from accounts.identity.core import Actor


class BookQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> BookQuerySet:
        """A society sees its own book, and only roles with the ledger permission do."""
        if actor.is_system:
            return self
        return (
            self.filter(society_id=actor.organisation_id)
            if actor.is_society and actor.can("ledger.view") and not actor.sandbox
            else self.none()
        )


class Account(models.Model):
    """One account of a society's book: a kind of the chart, an owner (whom or what it is for), a currency.

    `debits` and `credits` follow the postings by trigger. `floor` 1 forbids debits over credits, -1 the contrary, 0 neither.
    """

    id = models.BigAutoField(primary_key=True)
    society = models.ForeignKey(Organisation, models.DO_NOTHING, related_name="+")
    kind = models.TextField()
    owner_id = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3)
    floor = models.SmallIntegerField(default=0)
    debits = models.BigIntegerField(default=0)
    credits = models.BigIntegerField(default=0)
    closed_on = models.DateField(null=True)

    objects = BookQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        managed = False
        db_table = "ledger_account"

    def __str__(self) -> str:
        return f"{self.kind}:{self.owner_id or ''} {self.currency}"


class Journal(models.Model):
    """One business event in the book: all its postings or none, sealed with its transaction."""

    id = models.BigAutoField(primary_key=True)
    society = models.ForeignKey(Organisation, models.DO_NOTHING, related_name="+")
    kind = models.TextField()
    idempotency_key = models.TextField(unique=True)
    request_sha256 = models.BinaryField()
    effective_on = models.DateField()
    created_at = models.DateTimeField()
    reverses = models.OneToOneField("self", models.DO_NOTHING, null=True, related_name="reversed_by")
    posting_count = models.IntegerField()
    posting_total = models.DecimalField(max_digits=24, decimal_places=0)

    objects = BookQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        managed = False
        db_table = "ledger_journal"


class Posting(models.Model):
    """A transfer: one account debited, one credited, one positive amount in minor units."""

    pk = models.CompositePrimaryKey("journal_id", "line")
    journal = models.ForeignKey(Journal, models.DO_NOTHING, related_name="postings")
    line = models.IntegerField()
    debit = models.ForeignKey(Account, models.DO_NOTHING, related_name="+")
    credit = models.ForeignKey(Account, models.DO_NOTHING, related_name="+")
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()

    class Meta:
        app_label = "royalties"
        managed = False
        db_table = "ledger_posting"
