"""Distribution: from pools of money received to an amount for every share of every work, posted once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.identity.sql import point
from accounts.organisations.models import REF, Organisation
from licensing.declarations.models import Declaration
from licensing.repertoire.models import Holder, Work
from royalties.billing.models import Invoice, Receipt
from royalties.ledger.models import Journal

if TYPE_CHECKING:
    import datetime

    from accounts.identity.core import Actor


class SocietyOwnQuerySet(models.QuerySet):
    def visible_to(self, actor: Actor) -> Self:
        """A society's own rows. There is no money in the sandbox."""
        if actor.is_system:
            return self
        return self.filter(society_id=actor.organisation_id) if actor.is_society and not actor.sandbox else self.none()


class RuleQuerySet(SocietyOwnQuerySet):
    def in_force(self, day: datetime.date) -> RuleQuerySet:
        return self.filter(status=Rule.Status.APPROVED, valid__contains=day)


class Rule(models.Model):
    """A society's distribution rule as published: deductions in order, weights of uses, units and kinds, equal part, reserve."""

    class Status(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        APPROVED = "approved", _("approved")
        REFUSED = "refused", _("refused")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    ref = models.CharField(max_length=64, validators=[REF])
    version = models.PositiveIntegerField()
    document = models.JSONField()
    sha256 = models.CharField(max_length=64)
    valid = DateRangeField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROPOSED)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = RuleQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["society", "ref", "version"], name="rule_version_has_its_own_number"),
            ExclusionConstraint(
                name="rule_is_one_a_day",
                expressions=[(point("society"), RangeOperators.OVERLAPS), ("valid", RangeOperators.OVERLAPS)],
                condition=Q(status="approved"),
                violation_error_message=_("Another approved rule is in force on some of these days."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ref} v{self.version}"


class Run(models.Model):
    """One distribution of all money received and not yet distributed for uses in a period, in one currency.

    Totals are sums over its pools: pool + released + corrected = deductions + reserve + payable + held + suspense. `pool`
    is new money, `released` what leaves suspense because its identifier means a work now, `corrected` what is taken back
    from earlier runs and divided anew. `input_digest` covers everything that the result depends on, `result_digest` every
    allocation.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        COMPUTED = "computed", _("computed")
        APPROVED = "approved", _("approved")
        POSTED = "posted", _("posted")
        PUBLISHED = "published", _("published")
        REVERSED = "reversed", _("reversed")
        DISCARDED = "discarded", _("discarded")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    period = DateRangeField()
    currency = models.CharField(max_length=3)
    rule = models.ForeignKey(Rule, models.PROTECT, related_name="+")
    supplementary = models.BooleanField(default=False)
    chosen = models.JSONField(default=list, db_default=[])  # pools that somebody asked to be divided anew, by id
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    step = models.CharField(max_length=20, blank=True)
    heartbeat_at = models.DateTimeField(null=True)
    pool = models.BigIntegerField(default=0)
    released = models.BigIntegerField(default=0, db_default=0)
    corrected = models.BigIntegerField(default=0, db_default=0)
    deductions = models.JSONField(default=dict)  # {name: minor units}, in the published order
    reserve = models.BigIntegerField(default=0)
    distributable = models.BigIntegerField(default=0)
    payable = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)
    suspense = models.BigIntegerField(default=0)
    holders = models.BigIntegerField(default=0)
    works = models.BigIntegerField(default=0)
    input_digest = models.CharField(max_length=64, blank=True)
    result_digest = models.CharField(max_length=64, blank=True)
    problems = models.JSONField(default=list)
    journal = models.OneToOneField(Journal, models.PROTECT, null=True, related_name="+")
    reversal = models.OneToOneField(Journal, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    computed_at = models.DateTimeField(null=True)
    posted_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)

    objects = SocietyOwnQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(
                fields=["society", "currency"],
                condition=Q(status__in=["draft", "computed", "approved"]),
                name="run_is_one_at_a_time",
                violation_error_message=_(
                    "Another run of this society is not posted yet: approve or discard it first."
                ),
            ),
            models.CheckConstraint(
                condition=Q(status="draft") | Q(distributable=F("payable") + F("held") + F("suspense")),
                name="run_distributes_exactly_what_is_distributable",
            ),
        ]
        indexes = [models.Index(fields=["society", "-id"], name="run_by_society")]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def deductions_in_order(self) -> dict[str, int]:
        """The deductions as the rule publishes them (PostgreSQL keeps JSON objects in an order of its own)."""
        names = [deduction["name"] for deduction in self.rule.document["deductions"]]
        return {name: self.deductions[name] for name in names if name in self.deductions}


class RunPool(models.Model):
    """One invoice's money in one run: deducted, rounded and allocated alone.

    A `release` is what leaves the suspense of an earlier pool (`origin`), a `correction` what an earlier pool distributed
    and is divided anew by the declarations of now. Neither is new money, and nothing is deducted from it again.
    """

    class Kind(models.TextChoices):
        RECEIPTS = "receipts", _("money received")
        RELEASE = "release", _("released from suspense")
        CORRECTION = "correction", _("correction of an earlier distribution")

    run = models.ForeignKey(Run, models.PROTECT, related_name="pools")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.RECEIPTS, db_default="receipts")
    origin = models.ForeignKey("self", models.PROTECT, null=True, related_name="+")
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="+")
    amount = models.BigIntegerField()
    deductions = models.JSONField(default=list)  # [{name, percent, base, amount}] in order
    reserve = models.BigIntegerField(default=0)
    distributable = models.BigIntegerField(default=0)
    total_weight = models.DecimalField(max_digits=38, decimal_places=0, default=0)
    units = models.IntegerField(default=0)  # allocation units: works and unmatched identifiers
    equal_part = models.BigIntegerField(default=0)

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(
                fields=["run", "kind", "invoice", "origin"], nulls_distinct=False, name="run_takes_an_invoice_once"
            ),
            models.CheckConstraint(
                condition=Q(kind="receipts", origin=None) | (~Q(kind="receipts") & Q(origin__isnull=False)),
                name="run_pool_without_new_money_names_its_origin",
            ),
        ]

    @property
    def rule(self) -> Rule:
        """The rule by which its works weigh: that of the run in which its money was new."""
        pool = self
        while pool.origin is not None:
            pool = pool.origin
        return pool.run.rule

    @property
    def root(self) -> RunPool:
        """The pool whose declarations weighed: of what was released, once or several times, where it was allocated first."""
        pool = self
        while pool.kind == RunPool.Kind.RELEASE and pool.origin is not None:
            pool = pool.origin
        return pool


class RunPoolDeclaration(models.Model):
    """A declaration whose uses weighed in a pool of a run, as it was when the run was computed: statements explain by it."""

    pool = models.ForeignKey(RunPool, models.PROTECT, related_name="weighed_by")
    declaration = models.ForeignKey(Declaration, models.PROTECT, related_name="+")

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["pool", "declaration"], name="declaration_weighs_in_a_pool_once")
        ]


class RunReceipt(models.Model):
    """A receipt is distributed by one run. A reversed or discarded run releases it (`active` is null)."""

    pool = models.ForeignKey(RunPool, models.PROTECT, related_name="receipts")
    receipt = models.ForeignKey(Receipt, models.PROTECT, related_name="+")
    active = models.BooleanField(null=True, default=True)

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["receipt"], condition=Q(active=True), name="receipt_is_distributed_once"),
        ]


class RunRelease(models.Model):
    """An allocation in suspense whose original amount a run pays out, because its identifier means a work now: once.

    A reversed or discarded run gives it back (`active` is null). Rows come set by set, checked once a statement
    (`releases.sql`), with the lock on the origin's run that keeps it from being reversed at the same moment.
    """

    pool = models.ForeignKey(RunPool, models.PROTECT, related_name="releases")
    allocation = models.ForeignKey("Allocation", models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    amount = models.BigIntegerField()
    active = models.BooleanField(null=True, default=True)

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["allocation"], condition=Q(active=True), name="suspense_is_released_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="release_is_positive"),
        ]


class RunCorrection(models.Model):
    """A pool of an earlier run whose money this pool divides anew: all of it, once. Given back as a release is."""

    pool = models.OneToOneField(RunPool, models.PROTECT, related_name="correction")
    corrected = models.ForeignKey(RunPool, models.PROTECT, related_name="+")
    amount = models.BigIntegerField()
    reasons = models.JSONField(default=list, db_default=[])  # [declarations | shares | works | match]
    active = models.BooleanField(null=True, default=True)

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["corrected"], condition=Q(active=True), name="pool_is_corrected_once"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="correction_is_not_negative"),
        ]


class HeldUse(models.Model):
    """A declared use that a release found not to be allowed for the work that it is: a compliance case opens for it.

    Every declaration that weighs in the pool's root with this identifier, use, day and territory is meant.
    """

    pool = models.ForeignKey(RunPool, models.PROTECT, related_name="+")
    work = models.ForeignKey(Work, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    scheme = models.CharField(max_length=12)
    value = models.CharField(max_length=2048)
    territory = models.CharField(max_length=2, blank=True)
    use = models.CharField(max_length=12)
    used_on = models.DateField()
    reason = models.CharField(max_length=12)  # reserved | unmandated | unlicensed

    class Meta:
        app_label = "royalties"


class RepertoireChange(models.Model):
    """Whose share of which work became less since something was distributed, or which works became one, or two again.

    Triggers note it (`moving.sql`), so that asking which posted pools rest on it looks at what changed alone.
    """

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+", db_index=False)
    work = models.ForeignKey(Work, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    holder = models.ForeignKey(
        Holder, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    what = models.CharField(max_length=10)  # shares | merged | unmerged
    noted_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(
                fields=["society", "work", "holder", "what"],
                nulls_distinct=False,
                name="repertoire_change_is_noted_once",
            )
        ]


class AllocationQuerySet(models.QuerySet["Allocation"]):
    def visible_to(self, actor: Actor) -> AllocationQuerySet:
        """A society sees its runs; a creator the amounts, once published, of holders whom they represent."""
        if actor.is_system:
            return self
        if actor.sandbox:
            return self.none()
        if actor.is_society:
            return self.filter(run__society_id=actor.organisation_id)
        if not actor.can("statements.view"):
            return self.none()
        return self.filter(holder_id__in=actor.holder_ids, run__published_at__isnull=False)


class Allocation(models.Model):
    """What one share of one work (or one unmatched identifier, or an unowned rest) gets from one pool, to the minor unit.

    `weight` is the work's weight in the pool, `work_amount` what the whole work got, `set_amount` the part of it for the days
    on which these shares held (mostly all), `ppm` the share: with the pool's totals they explain `amount` in full.

    Millions of rows come by one COPY, a holder's together, so that the index of holders grows at one place at a time.
    `distribution.sql` checks their references once a statement instead of by foreign keys once a row, and refuses any
    change once the run is posted.
    """

    class Status(models.TextChoices):
        PAYABLE = "payable", _("payable")
        HELD = "held", _("held")
        SUSPENSE = "suspense", _("suspense")

    class Reason(models.TextChoices):
        NONE = "", ""
        UNMATCHED = "unmatched", _("the identifier matches no work yet")
        NO_SHARE = "no_share", _("no holder is recorded for this part")
        OVERCLAIMED = "overclaimed", _("the shares claim more than the whole work")
        DISPUTED = "disputed", _("the share is disputed")
        # Of a release: what the identifier turned out to mean allows no payment.
        RESERVED = "reserved", _("its use was reserved on that day")
        UNMANDATED = "unmandated", _("not every holder had given a mandate on that day")
        UNLICENSED = "unlicensed", _("the licence does not cover the work that it is")
        FREE = "free", _("the work was in the public domain on that day")
        INDIVIDUAL = "individual", _("its holders had licensed it directly")

    run = models.ForeignKey(Run, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    pool = models.ForeignKey(RunPool, models.PROTECT, related_name="allocations", db_constraint=False, db_index=False)
    work = models.ForeignKey(Work, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False)
    scheme = models.CharField(max_length=12, blank=True)
    value = models.CharField(max_length=2048, blank=True)
    holder = models.ForeignKey(Holder, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False)
    role = models.CharField(max_length=20, blank=True)
    used_on = models.DateField()  # the earliest day of use on which these shares held
    ppm = models.IntegerField(default=0)
    weight = models.DecimalField(max_digits=38, decimal_places=0)
    work_amount = models.BigIntegerField()
    set_amount = models.BigIntegerField()
    amount = models.BigIntegerField()
    status = models.CharField(max_length=10, choices=Status.choices)
    reason = models.CharField(max_length=12, choices=Reason.choices, blank=True)

    objects = AllocationQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [models.CheckConstraint(condition=Q(amount__gte=0), name="allocation_is_not_negative")]
        indexes = [
            models.Index(
                fields=["holder", "run", "-amount", "id"],
                include=["pool", "status"],
                condition=Q(holder__isnull=False),
                name="allocation_by_holder",
            ),
            models.Index(
                fields=["run", "-amount", "id"], condition=~Q(status="payable"), name="allocation_not_payable"
            ),
            models.Index(
                fields=["work", "run"], condition=Q(holder=None, work__isnull=False), name="allocation_without_holder"
            ),
            BrinIndex(fields=["run", "pool"], name="allocation_by_run"),
        ]


class ExpiredAllocation(models.Model):
    """An amount held or in suspense that a documented resolution declared non-distributable: all of it, for good.

    Its journal moved it to `undistributable`. No run takes it any more, and the run that it is of is not reversed
    (`expiry.sql`). What is left is the view `royalties_outstandingallocation`.
    """

    allocation = models.OneToOneField(Allocation, models.PROTECT, related_name="+", db_constraint=False)
    resolution_id = models.BigIntegerField()  # of `outstanding`, which lies above
    amount = models.BigIntegerField()
    journal = models.ForeignKey(Journal, models.PROTECT, related_name="+")

    class Meta:
        app_label = "royalties"
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="expired_amount_is_positive")]
        indexes = [models.Index(fields=["resolution_id"], name="expired_by_resolution")]


class RulePreview(models.Model):
    """Two versions of a rule compared on the money that waits for these days. `result` is what `compute_preview` found."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    one = models.ForeignKey(Rule, models.PROTECT, related_name="+")
    other = models.ForeignKey(Rule, models.PROTECT, related_name="+")
    period = DateRangeField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    result = models.JSONField(default=dict)
    problems = models.JSONField(default=list)
    asked_at = models.DateTimeField(auto_now_add=True)
    computed_at = models.DateTimeField(null=True)

    objects = SocietyOwnQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [models.CheckConstraint(condition=~Q(one=F("other")), name="preview_compares_two_rules")]
        indexes = [models.Index(fields=["society", "-id"], name="preview_by_society")]


class RunNote(models.Model):
    """What somebody wrote about a run for those who look at it next. Nothing here changes or removes one."""

    run = models.ForeignKey(Run, models.PROTECT, related_name="notes")
    text = models.TextField()
    author = models.CharField(max_length=300)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "royalties"
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="run_note_says_something")]
