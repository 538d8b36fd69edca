"""Clocks of money that is held or in suspense, the search for whose it is, public notice, warnings, and what is given up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.identity.sql import point
from accounts.organisations.models import Organisation
from licensing.intake.models import StoredFile
from licensing.repertoire.models import Holder, Work
from royalties.distribution.models import Allocation, Run, SocietyOwnQuerySet
from royalties.ledger.models import Journal

if TYPE_CHECKING:
    from accounts.identity.core import Actor


class ClockTerms(models.Model):
    """A society's terms for money that waits: whose law holds, when its financial year ends, its own clocks; by two people."""

    class Status(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        APPROVED = "approved", _("approved")
        REFUSED = "refused", _("refused")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    name = models.CharField(max_length=64)
    version = models.PositiveIntegerField()
    document = models.JSONField()
    sha256 = models.CharField(max_length=64)
    jurisdiction = models.CharField(max_length=2)
    year_end_month = models.PositiveSmallIntegerField()
    remuneration_tariffs = models.JSONField(default=list)
    valid = DateRangeField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROPOSED)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SocietyOwnQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["society", "version"], name="clock_terms_have_their_own_number"),
            ExclusionConstraint(
                name="clock_terms_are_one_a_day",
                expressions=[(point("society"), RangeOperators.OVERLAPS), ("valid", RangeOperators.OVERLAPS)],
                condition=Q(status="approved"),
                violation_error_message=_("Other approved terms are in force on some of these days."),
            ),
            models.CheckConstraint(
                condition=Q(year_end_month__gte=1, year_end_month__lte=12), name="clock_terms_end_a_year"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class ClockRule(models.Model):
    """One clock for one reason: of a law, or of a society's approved terms (`terms`). Months count from its start."""

    terms = models.ForeignKey(ClockTerms, models.PROTECT, null=True, related_name="rules")
    name = models.CharField(max_length=64)
    jurisdiction = models.CharField(max_length=2)
    basis = models.CharField(max_length=12)
    reason = models.CharField(max_length=12)
    valid = DateRangeField()
    starts_from = models.CharField(max_length=10)
    pay = models.PositiveSmallIntegerField(null=True)
    inform = models.PositiveSmallIntegerField(null=True)
    publish = models.PositiveSmallIntegerField(null=True)
    expire = models.PositiveSmallIntegerField(null=True)
    source = models.CharField(max_length=300, blank=True)

    class Meta:
        app_label = "royalties"
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_from__in=["year_end", "notice", "allocation"]),
                name="clock_rule_starts_from_something",
            ),
        ]
        indexes = [models.Index(fields=["jurisdiction", "reason"], name="clock_rule_by_reason")]

    def __str__(self) -> str:
        return self.name


class OutstandingQuerySet(SocietyOwnQuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """A society what its runs hold; a creator what is held for their own shares, once it was published."""
        if actor.is_system or actor.is_society:
            return super().visible_to(actor)
        if actor.sandbox or not actor.can("statements.view"):
            return self.none()
        published = Run.objects.filter(published_at__isnull=False)
        return self.filter(holder_id__in=actor.holder_ids, run__in=published)


class Outstanding(models.Model):
    """An amount that is held or in suspense now, with its clock: a row of the view `royalties_outstandingclock`.

    The days are the first on which a term is over; empty: no such step, or a clock that has not started.
    """

    allocation_id = models.BigIntegerField(primary_key=True)
    society = models.ForeignKey(Organisation, models.DO_NOTHING, related_name="+", db_constraint=False)
    run = models.ForeignKey(Run, models.DO_NOTHING, related_name="+", db_constraint=False)
    work = models.ForeignKey(Work, models.DO_NOTHING, null=True, related_name="+", db_constraint=False)
    holder = models.ForeignKey(Holder, models.DO_NOTHING, null=True, related_name="+", db_constraint=False)
    scheme = models.CharField(max_length=12)
    value = models.CharField(max_length=2048)
    status = models.CharField(max_length=10, choices=Allocation.Status.choices)
    reason = models.CharField(max_length=12, choices=Allocation.Reason.choices)
    used_on = models.DateField()
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    taken_by_id = models.BigIntegerField(null=True)
    collected_on = models.DateField(null=True)
    allocated_on = models.DateField(null=True)
    noticed_on = models.DateField(null=True)
    rule_id = models.BigIntegerField(null=True)
    rule = models.CharField(max_length=64, null=True)  # noqa: DJ001 – a view's column
    starts_on = models.DateField(null=True)
    pay_by = models.DateField(null=True)
    inform_by = models.DateField(null=True)
    publish_by = models.DateField(null=True)
    expires_on = models.DateField(null=True)

    objects = OutstandingQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        managed = False
        db_table = "royalties_outstandingclock"


class PublicNotice(models.Model):
    """The list of what waits, as it was published on a day: clocks may start from it, so it never changes."""

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    published_on = models.DateField()
    published_at = models.DateTimeField(auto_now_add=True)
    published_by = models.CharField(max_length=200)
    entries = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)  # of its entries in order (`outstanding.sql`)

    objects = SocietyOwnQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [models.UniqueConstraint(fields=["society", "number"], name="public_notice_has_its_own_number")]
        indexes = [models.Index(fields=["society", "-number"], name="public_notice_by_society")]

    def __str__(self) -> str:
        return f"{self.society.ref}-{self.number}"


class NoticeEntryQuerySet(models.QuerySet["NoticeEntry"]):
    def search(self, text: str) -> NoticeEntryQuerySet:
        """Every word of the text, in title, creators or identifier."""
        return self.annotate(words=SearchVector("title", "creators", "identifier", config="simple")).filter(words=text)


class NoticeEntry(models.Model):
    """A work, an identifier or a person for whom money waits: what they are called, why it waits, until when. No amount."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        EXPIRED = "expired", _("cannot be claimed any more")

    notice = models.ForeignKey(PublicNotice, models.PROTECT, related_name="+")
    key = models.CharField(max_length=2080)
    title = models.CharField(max_length=1000, blank=True)
    creators = models.CharField(max_length=2000, blank=True)
    identifier = models.CharField(max_length=2080, blank=True)
    reason = models.CharField(max_length=12)
    state = models.CharField(max_length=8, choices=State.choices)
    since = models.DateField()
    expires_on = models.DateField(null=True)

    objects = NoticeEntryQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        indexes = [
            models.Index(fields=["notice", "id"], name="notice_entry_by_notice"),
            GinIndex(SearchVector("title", "creators", "identifier", config="simple"), name="notice_entry_by_words"),
        ]

    def __str__(self) -> str:
        return self.title or self.identifier


class NoticedAllocation(models.Model):
    """The first public notice in which an amount's work or identifier was listed: from its day a clock may run."""

    allocation_id = models.BigIntegerField(primary_key=True)
    notice = models.ForeignKey(PublicNotice, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    noticed_on = models.DateField()

    class Meta:
        app_label = "royalties"


class ExpiryWarning(models.Model):
    """What a society was warned of: amounts whose clock runs out in so many days or fewer. Each amount once for each."""

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    days = models.PositiveSmallIntegerField()
    warned_on = models.DateField()
    first_expires_on = models.DateField()
    allocations = models.BigIntegerField()
    amount = models.BigIntegerField()

    objects = SocietyOwnQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        indexes = [models.Index(fields=["society", "-id"], name="expiry_warning_by_society")]


class WarnedAllocation(models.Model):
    """An amount that a warning was about."""

    warning = models.ForeignKey(ExpiryWarning, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    allocation_id = models.BigIntegerField()
    days = models.PositiveSmallIntegerField()

    class Meta:
        app_label = "royalties"
        constraints = [models.UniqueConstraint(fields=["allocation_id", "days"], name="amount_is_warned_of_once")]


class Tracing(models.Model):
    """A search for holders whose money waits: what is done, by when, and what came of it. Attempts belong to it."""

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    title = models.CharField(max_length=200)
    plan = models.CharField(max_length=2000, blank=True)
    begun_on = models.DateField()
    until = models.DateField()
    closed_on = models.DateField(null=True)
    finding = models.CharField(max_length=2000, blank=True)

    objects = SocietyOwnQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.CheckConstraint(condition=Q(until__gte=models.F("begun_on")), name="tracing_ends_after_it_begins")
        ]

    def __str__(self) -> str:
        return self.title


class Attempt(models.Model):
    """One attempt to reach the holder of money that waits, or to find out who it is; kept as it was logged."""

    class Channel(models.TextChoices):
        EMAIL = "email", _("e-mail")
        PHONE = "phone", _("telephone")
        LETTER = "letter", _("letter")
        PUBLISHER = "publisher", _("publisher or employer")
        SOCIETY = "society", _("another society")
        REGISTER = "register", _("register or database")
        PRESS = "press", _("newspaper or website")
        OTHER = "other", _("other")

    class Result(models.TextChoices):
        NO_ANSWER = "no_answer", _("no answer yet")
        FOUND = "found", _("found")
        RETURNED = "returned", _("returned, or the address is unknown")
        NOT_THEIRS = "not_theirs", _("not theirs")
        DECLINED = "declined", _("declined")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    tracing = models.ForeignKey(Tracing, models.PROTECT, null=True, related_name="attempts")
    holder = models.ForeignKey(Holder, models.PROTECT, null=True, related_name="+")
    work = models.ForeignKey(Work, models.PROTECT, null=True, related_name="+")
    scheme = models.CharField(max_length=12, blank=True)
    value = models.CharField(max_length=2048, blank=True)
    channel = models.CharField(max_length=10, choices=Channel.choices)
    result = models.CharField(max_length=10, choices=Result.choices)
    made_on = models.DateField()
    note = models.CharField(max_length=1000, blank=True)
    logged_by = models.CharField(max_length=200)
    logged_at = models.DateTimeField(auto_now_add=True)

    objects = SocietyOwnQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.CheckConstraint(
                condition=Q(holder__isnull=False) | Q(work__isnull=False) | ~Q(value=""),
                name="attempt_is_about_someone",
            ),
        ]
        indexes = [
            models.Index(fields=["society", "-id"], name="attempt_by_society"),
            models.Index(fields=["work"], condition=Q(work__isnull=False), name="attempt_by_work"),
            models.Index(fields=["holder"], condition=Q(holder__isnull=False), name="attempt_by_holder"),
            models.Index(fields=["scheme", "value"], condition=~Q(value=""), name="attempt_by_identifier"),
        ]


class Resolution(models.Model):
    """A documented decision that amounts, whose clock has run out, cannot be distributed; asked by one, approved by another.

    The amounts are listed when it is asked for (`ResolutionAllocation`); `sha256` covers text, ground, document and list.
    """

    class Status(models.TextChoices):
        REQUESTED = "requested", _("waits for a second person")
        EXECUTED = "executed", _("carried out")
        REFUSED = "refused", _("refused")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    text = models.CharField(max_length=4000)
    ground = models.CharField(max_length=1000)
    document = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")
    reason = models.CharField(max_length=12, blank=True)  # only amounts that wait for this; empty: all
    expired_by = models.DateField()  # amounts whose clock had run out on this day
    allocations = models.BigIntegerField()
    amount = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.REQUESTED)
    requested_by = models.CharField(max_length=200)
    requested_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField(null=True)
    journal = models.OneToOneField(Journal, models.PROTECT, null=True, related_name="+")

    objects = SocietyOwnQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.CheckConstraint(condition=Q(allocations__gt=0, amount__gt=0), name="resolution_is_about_something"),
            models.CheckConstraint(
                condition=Q(status="executed", journal__isnull=False) | (~Q(status="executed") & Q(journal=None)),
                name="resolution_is_carried_out_by_a_journal",
            ),
        ]
        indexes = [models.Index(fields=["society", "-id"], name="resolution_by_society")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class ResolutionAllocation(models.Model):
    """An amount that a resolution lists, as it was when that was asked for."""

    resolution = models.ForeignKey(Resolution, models.PROTECT, related_name="+", db_index=False)
    allocation_id = models.BigIntegerField()
    amount = models.BigIntegerField()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["resolution", "allocation_id"], name="resolution_lists_an_amount_once")
        ]
