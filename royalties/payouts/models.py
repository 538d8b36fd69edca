"""Payouts: what holders are owed leaves the society's bank account, once, and what comes back is owed again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.organisations.models import Organisation
from licensing.repertoire.models import Holder
from royalties.bank.models import BankAccount
from royalties.ledger.models import Journal
from royalties.payees.models import PayeeDetails

if TYPE_CHECKING:
    import datetime

    from accounts.identity.core import Actor


class SocietyOwnQuerySet(models.QuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """A society's own rows, for those who may see payouts. There is no money in the sandbox."""
        if actor.is_system:
            return self
        own = actor.is_society and actor.can("payouts.view") and not actor.sandbox
        return self.filter(society_id=actor.organisation_id) if own else self.none()


class PayoutPolicyQuerySet(SocietyOwnQuerySet):
    def in_force(self, day: datetime.date) -> PayoutPolicyQuerySet:
        """The latest that has begun, of each currency, first."""
        return self.filter(valid_from__lte=day).order_by("currency", "-valid_from")


class PayoutPolicy(models.Model):
    """When a society pays in a currency, from how much on, from which account, and how its bank wants the file.

    The one that began last is in force. What a batch was made by is frozen in the batch, so a new policy changes no file that exists.
    """

    class Schedule(models.TextChoices):
        MONTHLY = "monthly", _("every month")
        QUARTERLY = "quarterly", _("every quarter")
        HALF_YEARLY = "half_yearly", _("every half-year")
        YEARLY = "yearly", _("every year")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    valid_from = models.DateField()
    threshold = models.BigIntegerField(default=0)  # minor units; less than this is carried forward
    schedule = models.CharField(max_length=12, choices=Schedule.choices, default=Schedule.MONTHLY)
    day = models.PositiveSmallIntegerField(default=10)  # of the first month of each term
    debtor = models.ForeignKey(BankAccount, models.PROTECT, null=True, related_name="+")  # the account that pays
    columns = models.JSONField(default=list)  # [[header, field]] of the bank's CSV, in order
    ascii_only = models.BooleanField(default=False)  # the bank takes basic Latin letters only
    remittance = models.CharField(max_length=100, blank=True)  # what the payee reads on the account
    created_at = models.DateTimeField(auto_now_add=True)

    objects = PayoutPolicyQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.CheckConstraint(condition=Q(threshold__gte=0), name="payout_threshold_is_not_negative"),
            models.CheckConstraint(condition=Q(day__gte=1, day__lte=28), name="payout_day_is_in_every_month"),
            models.UniqueConstraint(
                fields=["society", "currency", "valid_from"],
                name="payout_policy_begins_once_a_day",
                violation_error_message=_("Another policy for this currency begins on that day."),
            ),
        ]


class Batch(models.Model):
    """One payout of everything that is payable in a currency: prepared, approved by a second person, ordered, sent, answered.

    gross = withheld + net, in minor units, over its payments; what it leaves is in its `CarriedForward` rows. `digest`
    covers every payment: it is what the second person approves. A batch is sent once: `file_sha256` is of the one file
    that went to the bank, and every later copy is compared with it.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("being prepared")
        PREPARED = "prepared", _("prepared")
        APPROVED = "approved", _("approved")
        ORDERED = "ordered", _("ordered")
        SENT = "sent", _("sent to the bank")
        SETTLED = "settled", _("answered by the bank")
        DISCARDED = "discarded", _("discarded")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    policy = models.ForeignKey(PayoutPolicy, models.PROTECT, null=True, related_name="+")
    execute_on = models.DateField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    gross = models.BigIntegerField(default=0)
    withheld = models.BigIntegerField(default=0)
    net = models.BigIntegerField(default=0)
    payments = models.IntegerField(default=0)
    holders = models.IntegerField(default=0)
    carried = models.BigIntegerField(default=0)
    carried_holders = models.IntegerField(default=0)
    transferred = models.ForeignKey(Journal, models.PROTECT, null=True, related_name="+")
    digest = models.CharField(max_length=64, blank=True)
    input_digest = models.CharField(max_length=64, blank=True)  # of payees, papers and others' claims, as they were
    problems = models.JSONField(default=list)
    order = models.JSONField(default=dict)  # who pays from which account, and how, as ordered: the file is made of it
    file_format = models.CharField(max_length=10, blank=True)  # pain.001 or csv: the one that was sent
    file_sha256 = models.CharField(max_length=64, blank=True)
    journal = models.OneToOneField(Journal, models.PROTECT, null=True, related_name="+")
    heartbeat_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    prepared_at = models.DateTimeField(null=True)
    ordered_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)

    objects = SocietyOwnQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(
                fields=["society", "currency"],
                condition=Q(status__in=["draft", "prepared", "approved"]),
                name="payout_batch_is_one_at_a_time",
                violation_error_message=_("Another payout in this currency is not ordered yet: approve or discard it."),
            ),
            models.CheckConstraint(
                condition=Q(gross=F("withheld") + F("net")), name="payout_batch_pays_what_it_does_not_withhold"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["sent", "settled"]) | (~Q(file_sha256="") & Q(sent_at__isnull=False)),
                name="payout_batch_is_sent_with_a_file",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "prepared", "approved", "discarded"]) | Q(journal__isnull=False),
                name="payout_batch_is_ordered_by_a_journal",
            ),
        ]
        indexes = [models.Index(fields=["society", "-id"], name="payout_batch_by_society")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class PaymentQuerySet(models.QuerySet["Payment"]):
    def visible_to(self, actor: Actor) -> PaymentQuerySet:
        """A society sees its payments; a creator those ordered for holders whom they represent. Nothing in the sandbox."""
        if actor.is_system:
            return self
        if actor.sandbox:
            return self.none()
        if actor.is_society:
            return self.filter(society_id=actor.organisation_id) if actor.can("payouts.view") else self.none()
        if not actor.can("statements.view"):
            return self.none()
        return self.filter(holder_id__in=actor.holder_ids).exclude(status__in=["planned", "discarded"])


class Payment(models.Model):
    """What one holder is paid by one batch into one account: gross = withheld + net, the tax line by line.

    Mostly one a holder. Where a part of it is due to somebody else (`entitlement_id`: a garnishment, another payee), each
    receiver has a payment of its own, with its part of the gross and of the tax. `end_to_end_id` follows from batch and
    holder and is unique: with it the bank's answer and its statement find the payment. Returned, the whole gross is owed
    again; `resend_of` names the payment that this one makes up for.
    """

    class Status(models.TextChoices):
        PLANNED = "planned", _("planned")
        ORDERED = "ordered", _("ordered")
        SENT = "sent", _("on its way")
        SETTLED = "settled", pgettext_lazy("payment", "paid")
        REJECTED = "rejected", _("refused by the bank")
        RETURNED = "returned", _("returned")
        DISCARDED = "discarded", _("discarded")

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="rows", db_index=False)
    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    position = models.IntegerField()  # in the file, from 1
    details = models.ForeignKey(  # the account as approved, which never changes
        PayeeDetails, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    entitlement_id = models.BigIntegerField(null=True)
    end_to_end_id = models.CharField(max_length=35)
    currency = models.CharField(max_length=3)
    gross = models.BigIntegerField()
    withheld = models.BigIntegerField()
    net = models.BigIntegerField()
    brought_forward = models.BigIntegerField(default=0)  # of the gross: what earlier batches carried forward
    taxes = models.JSONField(default=list)  # [{name, base, rate, amount}] in order, summing to withheld
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PLANNED)
    bank_status = models.CharField(max_length=4, blank=True)  # the bank's last word: ACCP, ACSP, ACSC, PDNG, RJCT
    reason = models.CharField(max_length=35, blank=True)  # its code: AC04 closed account, …
    reason_text = models.CharField(max_length=500, blank=True)
    bank_ref = models.CharField(max_length=140, blank=True)
    journal = models.ForeignKey(Journal, models.PROTECT, null=True, related_name="+", db_index=False)  # settled it
    back = models.ForeignKey(Journal, models.PROTECT, null=True, related_name="+", db_index=False)  # gave it back
    resend_of = models.OneToOneField("self", models.PROTECT, null=True, related_name="resent_as")
    execute_on = models.DateField()
    ended_on = models.DateField(null=True)  # paid, refused or returned on that day

    objects = PaymentQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["end_to_end_id"], name="payment_has_its_own_end_to_end_id"),
            models.UniqueConstraint(fields=["batch", "position"], name="payment_has_its_place_in_the_batch"),
            models.CheckConstraint(condition=Q(gross=F("withheld") + F("net")), name="payment_adds_up"),
            models.CheckConstraint(
                condition=Q(net__gt=0, withheld__gte=0, brought_forward__gte=0, brought_forward__lte=F("gross")),
                name="payment_is_positive",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["rejected", "returned"], back__isnull=False)
                | (~Q(status__in=["rejected", "returned"]) & Q(back=None)),
                name="payment_that_failed_is_owed_again",
            ),
        ]
        indexes = [
            models.Index(fields=["holder", "-id"], name="payment_by_holder"),
            models.Index(fields=["batch", "status", "position"], name="payment_by_status"),
            models.Index(fields=["batch", "-net", "id"], name="payment_by_size"),
        ]

    def __str__(self) -> str:
        return self.end_to_end_id


class CarriedForwardQuerySet(models.QuerySet["CarriedForward"]):
    def visible_to(self, actor: Actor) -> CarriedForwardQuerySet:
        """As payments: of batches that were ordered, so far as creators see them."""
        if actor.is_system:
            return self
        if actor.sandbox:
            return self.none()
        if actor.is_society:
            return self.filter(society_id=actor.organisation_id) if actor.can("payouts.view") else self.none()
        if not actor.can("statements.view"):
            return self.none()
        told = Q(batch__ordered_at__isnull=False) | Q(batch__payments=0, batch__prepared_at__isnull=False)
        return self.filter(told, holder_id__in=actor.holder_ids)


class CarriedForward(models.Model):
    """What a batch left with a holder, and why: it stays payable, never forfeited, and the next batch looks again."""

    class Reason(models.TextChoices):
        BELOW_THRESHOLD = "below_threshold", _("less than the least amount that is paid out")
        NO_PAYEE = "no_payee", _("no payment details")
        NOT_APPROVED = "not_approved", _("payment details wait for approval")
        COOLING_OFF = "cooling_off", _("payment details changed a short time ago")
        SANCTIONS = "sanctions", _("a check is under way")
        INCOMPLETE = "incomplete", _("payment details are not complete")
        NO_TAX_RULE = "no_tax_rule", _("no tax rule is in force")
        ENTITLEMENT = "entitlement", _("it is not settled yet who gets it")
        RECEIVER_BLOCKED = "receiver_blocked", _("a part is due to somebody who cannot be paid yet")
        NOTHING_LEFT = "nothing_left", _("nothing is left after tax")
        OTHER = "other", _("another reason")

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="left", db_index=False)
    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=30)

    objects = CarriedForwardQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["batch", "holder"], name="holder_is_carried_forward_once_a_batch"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="carried_amount_is_positive"),
        ]
        indexes = [
            models.Index(fields=["holder", "-batch"], name="carried_by_holder"),
            models.Index(fields=["batch", "reason", "-amount", "id"], name="carried_by_reason"),
        ]


class Answer(models.Model):
    """A file with which the bank answered (pain.002), taken in once: the same file again changes nothing."""

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="answers")
    sha256 = models.CharField(max_length=64)
    message_id = models.CharField(max_length=35)
    group_status = models.CharField(max_length=4, blank=True)
    settled = models.IntegerField(default=0)
    rejected = models.IntegerField(default=0)
    pending = models.IntegerField(default=0)
    unknown = models.IntegerField(default=0)  # named no payment of this batch
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SocietyOwnQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["society", "sha256"], name="payout_answer_is_taken_in_once"),
        ]
