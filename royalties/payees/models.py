"""Whom a society pays, where to, and by which tax rule. `payees.sql` defends what was once said."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.organisations.models import Organisation
from licensing.intake.models import StoredFile
from licensing.repertoire.models import Holder

if TYPE_CHECKING:
    from accounts.identity.core import Actor

COOLING_OFF_DAYS = 3  # where a society has laid down nothing else
TAX_STATUSES = [
    ("kr_business", _("resident of Korea, as their business")),
    ("kr_other", _("resident of Korea, occasionally")),
    ("kr_organisation", _("organisation in Korea")),
    ("non_resident", _("outside Korea")),
    ("exempt", _("exempt from tax")),
]


class OwnQuerySet(models.QuerySet[Any]):
    """What belongs to a payee: the society's people with the permission see all, a holder's representatives their own."""

    payee = "payee__"

    def visible_to(self, actor: Actor) -> OwnQuerySet:
        if actor.is_system:
            return self
        if actor.is_society:
            return self.filter(society_id=actor.organisation_id) if actor.can("payees.view") else self.none()
        if not actor.can("payees.own"):
            return self.none()
        return self.filter(**{f"{self.payee}holder_id__in": actor.holder_ids})


class PayeeQuerySet(OwnQuerySet):
    payee = ""


class SocietyQuerySet(models.QuerySet[Any]):
    """What only the society's people see."""

    def visible_to(self, actor: Actor) -> SocietyQuerySet:
        if actor.is_system:
            return self
        if actor.is_society and actor.can("payees.view"):
            return self.filter(society_id=actor.organisation_id)
        return self.none()


class Payee(models.Model):
    """Somebody whom a society pays: a holder, or a third party to whom a holder's money goes (`holder` is empty then)."""

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    holder = models.ForeignKey(Holder, models.PROTECT, null=True, related_name="+")
    name = models.CharField(max_length=300, blank=True)  # of a third party; a holder has a name already
    created_at = models.DateTimeField(auto_now_add=True, db_default=models.functions.Now())

    objects = PayeeQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["holder"], name="holder_is_one_payee"),
            models.CheckConstraint(
                condition=Q(holder__isnull=False, name="") | (Q(holder=None) & ~Q(name="")),
                name="payee_is_a_holder_or_has_a_name",
            ),
        ]
        indexes = [models.Index(fields=["society", "id"], name="payee_by_society")]

    def __str__(self) -> str:
        return str(self.holder) if self.holder else self.name


class PayeeImport(models.Model):
    """One payees file: what it said, by digest, and what became of its rows. The file itself is not kept: it shows accounts."""

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    read = models.BigIntegerField(default=0)
    created = models.BigIntegerField(default=0)
    updated = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    rejects = models.JSONField(default=list)
    screened = models.CharField(max_length=200, blank=True)  # the list against which all of them were checked
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    objects = SocietyQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        indexes = [models.Index(fields=["society", "-id"], name="payee_import_by_society")]

    def __str__(self) -> str:
        return self.name


class PayeeDetails(models.Model):
    """One version of where and how a payee is paid. Its content never changes: another account is another version.

    `requested → approved | refused | withdrawn`, and either of the first two `→ objected`, when the holder did not ask for it.
    An approved version is used from `usable_from`, the end of its cooling-off time, until a later one is.

    `sealed` is the account, encrypted (AES-256-GCM) under the key `key_id` and bound to this payee and version;
    `fingerprint` (HMAC-SHA-256 under the same key) tells an unchanged import from a change without reading it.
    """

    class Status(models.TextChoices):
        REQUESTED = "requested", pgettext_lazy("payment details", "waiting for a second person")
        APPROVED = "approved", pgettext_lazy("payment details", "approved")
        REFUSED = "refused", pgettext_lazy("payment details", "refused")
        WITHDRAWN = "withdrawn", pgettext_lazy("payment details", "replaced before it was approved")
        OBJECTED = "objected", pgettext_lazy("payment details", "stopped by the holder")

    class Kind(models.TextChoices):
        NONE = "", _("no account")
        IBAN = "iban", "IBAN"
        KOREAN = "kr", _("Korean account")
        OTHER = "other", _("account with BIC")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+", db_index=False)
    payee = models.ForeignKey(Payee, models.PROTECT, related_name="details", db_index=False)
    version = models.PositiveIntegerField()
    currency = models.CharField(max_length=3, blank=True)  # empty: every currency without an account of its own
    residence = models.CharField(max_length=2, blank=True)
    tax_status = models.CharField(max_length=20, blank=True, choices=TAX_STATUSES)
    kind = models.CharField(max_length=5, blank=True, choices=Kind.choices)
    last4 = models.CharField(max_length=4, blank=True)
    sealed = models.BinaryField()
    key_id = models.CharField(max_length=16)
    fingerprint = models.CharField(max_length=64)
    made_by = models.ForeignKey(PayeeImport, models.PROTECT, null=True, related_name="details")
    by_holder = models.BooleanField(default=False)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    requested_at = models.DateTimeField()
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.REQUESTED)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True)
    usable_from = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)  # when it was refused, withdrawn or objected to
    reason = models.CharField(max_length=500, blank=True)

    objects = OwnQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["payee", "version"], name="payee_details_versions_are_numbered"),
            models.UniqueConstraint(
                fields=["payee", "currency"], condition=Q(status="requested"), name="payee_details_wait_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | Q(requested_by=None) | ~Q(decided_by=models.F("requested_by")),
                name="payee_details_need_a_second_person",
            ),
            models.CheckConstraint(
                condition=~Q(status="approved") | Q(decided_by__isnull=False, usable_from__isnull=False),
                name="payee_details_are_approved_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(kind="", last4="") | (Q(kind__in=["iban", "kr", "other"]) & ~Q(last4="")),
                name="payee_account_kind_is_known",
            ),
        ]
        indexes = [
            models.Index(fields=["society", "payee"], name="payee_details_by_society"),
            models.Index(fields=["society", "id"], condition=Q(status="requested"), name="payee_details_waiting"),
            models.Index(fields=["key_id"], name="payee_details_by_key"),
        ]

    def __str__(self) -> str:
        return f"{self.payee_id} v{self.version}"

    @property
    def masked(self) -> str:
        return f"••••{self.last4}" if self.last4 else ""

    def is_used(self, at: datetime.datetime) -> bool:
        return self.status == self.Status.APPROVED and self.usable_from is not None and self.usable_from <= at


class SanctionsCheck(models.Model):
    """That somebody compared a payee with a list of sanctions, and what they found. The last one counts; `hit` blocks."""

    class State(models.TextChoices):
        PENDING = "pending", pgettext_lazy("sanctions check", "to be looked at again")
        CLEAR = "clear", pgettext_lazy("sanctions check", "nothing found")
        HIT = "hit", pgettext_lazy("sanctions check", "on a list")

    details = models.ForeignKey(PayeeDetails, models.PROTECT, related_name="checks", db_index=False)
    state = models.CharField(max_length=7, choices=State.choices)
    source = models.CharField(max_length=200)  # which list, of which day
    note = models.CharField(max_length=500, blank=True)
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    checked_at = models.DateTimeField()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.CheckConstraint(condition=Q(state__in=["pending", "clear", "hit"]), name="sanctions_state_is_known"),
            models.CheckConstraint(condition=~Q(source=""), name="sanctions_check_names_its_source"),
        ]
        indexes = [models.Index(fields=["details", "-id"], name="sanctions_check_by_details")]


class PayeeReading(models.Model):
    """That somebody read an account in the clear, when and why: shown to its holder."""

    details = models.ForeignKey(PayeeDetails, models.PROTECT, related_name="readings", db_index=False)
    reader = models.CharField(max_length=200)
    reason = models.CharField(max_length=200)
    read_at = models.DateTimeField()

    class Meta:
        app_label = "royalties"
        indexes = [models.Index(fields=["details", "-id"], name="payee_reading_by_details")]


class TaxPaper(models.Model):
    """A paper by which a payee claims a lower rate: the application of a treaty in Korea; W-8BEN, W-8BEN-E or W-9 in the USA.

    It counts on the days of `valid` (half-open) once a second person has approved it.
    """

    class Kind(models.TextChoices):
        TREATY = "treaty", _("application of a tax treaty")
        W8BEN = "w8ben", "W-8BEN"
        W8BENE = "w8bene", "W-8BEN-E"
        W9 = "w9", "W-9"

    class Status(models.TextChoices):
        REQUESTED = "requested", pgettext_lazy("tax paper", "waiting for a second person")
        APPROVED = "approved", pgettext_lazy("tax paper", "approved")
        REFUSED = "refused", pgettext_lazy("tax paper", "refused")
        REVOKED = "revoked", pgettext_lazy("tax paper", "no longer counts")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    payee = models.ForeignKey(Payee, models.PROTECT, related_name="papers")
    kind = models.CharField(max_length=6, choices=Kind.choices)
    country = models.CharField(max_length=2)
    valid = DateRangeField()
    claims_treaty = models.BooleanField(default=True)
    percent = models.DecimalField(max_digits=9, decimal_places=6, null=True)  # empty: as the rule's own table has it
    local_tax_included = models.BooleanField(default=True)
    document = models.ForeignKey(StoredFile, models.PROTECT, null=True, related_name="+")
    made_by = models.ForeignKey(PayeeImport, models.PROTECT, null=True, related_name="papers")
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.REQUESTED)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField()
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    objects = OwnQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.CheckConstraint(
                condition=Q(percent=None) | Q(percent__gte=0, percent__lte=50), name="treaty_rate_is_a_percentage"
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | Q(requested_by=None) | ~Q(decided_by=models.F("requested_by")),
                name="tax_paper_needs_a_second_person",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.country})"

    @property
    def percent_text(self) -> str:
        """The rate as people write it: 10, 16.5; empty where the paper leaves it to the rule."""
        if self.percent is None:
            return ""
        whole, _point, part = f"{self.percent:f}".partition(".")
        return f"{whole}.{part}".rstrip("0").rstrip(".")


class PayeeTerms(models.Model):
    """For how many days a society waits before it uses approved payment details; laid down by two people."""

    class Status(models.TextChoices):
        REQUESTED = "requested", pgettext_lazy("payee terms", "waiting for a second person")
        APPROVED = "approved", pgettext_lazy("payee terms", "in force")
        REFUSED = "refused", pgettext_lazy("payee terms", "refused")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    cooling_off_days = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.REQUESTED)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)

    objects = SocietyQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.CheckConstraint(condition=Q(cooling_off_days__lte=60), name="cooling_off_is_60_days_at_most")
        ]


class TaxRuleQuerySet(models.QuerySet["TaxRule"]):
    def in_force(self, on: datetime.date) -> TaxRuleQuerySet:
        return self.filter(valid__contains=on)


class TaxRule(models.Model):
    """One version of a rule of tax law, as data with its source: public, the same for every society, changed by nobody.

    Of one jurisdiction and kind of payee one is in force a day (`tax_rule_is_one_a_day`); a new version ends the open one.
    """

    ref = models.CharField(max_length=64)
    version = models.PositiveIntegerField()
    jurisdiction = models.CharField(max_length=2)
    applies_to = models.CharField(max_length=20)
    valid = DateRangeField()
    document = models.JSONField()
    sha256 = models.CharField(max_length=64)
    imported_at = models.DateTimeField(auto_now_add=True)

    objects = TaxRuleQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [models.UniqueConstraint(fields=["ref", "version"], name="tax_rule_version_is_unique")]

    def __str__(self) -> str:
        return f"{self.ref} v{self.version}"
