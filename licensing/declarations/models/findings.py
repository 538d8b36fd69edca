"""What is found out about a declaration when it is processed: its sums, what it changes, what it repeats, what to ask."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from licensing.declarations.models.declarations import Declaration, DeclaredUse
from licensing.repertoire.models import Work


class UseSum(models.Model):
    """What a declaration says, summed by how it ended: pages read these few rows instead of millions."""

    declaration = models.ForeignKey(Declaration, models.CASCADE, related_name="sums")
    status = models.CharField(max_length=10)
    matched = models.BooleanField()  # of works of ours, not of identifiers
    use = models.CharField(max_length=12)
    kind = models.CharField(max_length=12)
    unit = models.CharField(max_length=12)
    rows = models.BigIntegerField()
    lines = models.BigIntegerField()
    units = models.DecimalField(max_digits=38, decimal_places=0)
    large_rows = models.BigIntegerField()  # of 10,000 units and more, where round numbers would show
    round_rows = models.BigIntegerField()  # those of them that are multiples of 1,000
    least = models.DecimalField(max_digits=38, decimal_places=0)
    most = models.DecimalField(max_digits=38, decimal_places=0)

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(
                fields=["declaration", "status", "matched", "use", "kind", "unit"], name="use_sum_is_one_row"
            )
        ]


class HostSum(models.Model):
    """The sites of which most was declared, by unit: a registered site by its work, another by its host."""

    declaration = models.ForeignKey(Declaration, models.CASCADE, related_name="hosts")
    unit = models.CharField(max_length=12)
    position = models.IntegerField()  # 1 for the most units
    host = models.CharField(max_length=2048)
    work = models.ForeignKey(Work, models.PROTECT, null=True, related_name="+")
    rows = models.BigIntegerField()
    units = models.DecimalField(max_digits=38, decimal_places=0)

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(fields=["declaration", "unit", "position"], name="host_sum_has_its_place")
        ]


class Difference(models.Model):
    """What an amendment changes: distinct works (unmatched identifiers included) added, removed and changed."""

    declaration = models.OneToOneField(Declaration, models.CASCADE, related_name="difference")
    old = models.ForeignKey(Declaration, models.PROTECT, related_name="+")
    works_added = models.BigIntegerField()
    works_removed = models.BigIntegerField()
    works_changed = models.BigIntegerField()
    rows = models.BigIntegerField()
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "licensing"


class Change(models.Model):
    """One row of declared use that an amendment adds, removes or changes, the smallest first by number."""

    class Kind(models.TextChoices):
        ADDED = "added", _("added")
        REMOVED = "removed", _("removed")
        CHANGED = "changed", _("changed")

    declaration = models.ForeignKey(Declaration, models.CASCADE, related_name="changes", db_index=False)
    change = models.CharField(max_length=7, choices=Kind.choices)
    work = models.ForeignKey(Work, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False)
    scheme = models.CharField(max_length=12, blank=True)
    value = models.CharField(max_length=2048, blank=True)
    kind = models.CharField(max_length=12)
    use = models.CharField(max_length=12)
    unit = models.CharField(max_length=12)
    used_on = models.DateField()
    status = models.CharField(max_length=10)
    basis = models.CharField(max_length=12, blank=True)
    units_before = models.DecimalField(max_digits=38, decimal_places=0)  # 0 where there was no such row
    units_after = models.DecimalField(max_digits=38, decimal_places=0)
    lines_before = models.BigIntegerField()
    lines_after = models.BigIntegerField()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.CheckConstraint(
                condition=~Q(lines_before=models.F("lines_after"), units_before=models.F("units_after")),
                name="change_changes_something",
            )
        ]
        indexes = [
            models.Index(fields=["declaration", "id"], name="change_in_order"),
            models.Index(fields=["declaration", "change", "status", "id"], name="change_by_kind"),
        ]


class Overlap(models.Model):
    """Another declaration of the same firm that says some of the same: same days, model, work, use and unit."""

    declaration = models.ForeignKey(Declaration, models.CASCADE, related_name="overlaps")
    other = models.ForeignKey(Declaration, models.PROTECT, related_name="+")
    works = models.BigIntegerField()
    rows = models.BigIntegerField()
    lines = models.BigIntegerField()
    units = models.JSONField(default=dict)  # by unit, as text: units of different kinds do not add up
    part = models.DecimalField(max_digits=7, decimal_places=6)  # of the declaration's rows
    found_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "licensing"
        constraints = [models.UniqueConstraint(fields=["declaration", "other"], name="overlap_is_found_once")]


class OverlapRow(models.Model):
    """A row of a declaration that another declaration of the firm has, too, with what that one says."""

    overlap = models.ForeignKey(Overlap, models.CASCADE, related_name="shared", db_index=False)
    use = models.ForeignKey(DeclaredUse, models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    other_units = models.DecimalField(max_digits=38, decimal_places=0)

    class Meta:
        app_label = "licensing"
        constraints = [models.UniqueConstraint(fields=["overlap", "use"], name="overlap_names_a_row_once")]


class Question(models.Model):
    """What the society should know about a declaration before it relies on it: asked, answered by the firm, settled.

    Checks ask (`plausibility`, `overlaps`) and people do. Only a serious one holds back acceptance; none refuses anything.
    """

    class Severity(models.TextChoices):
        NOTE = "note", _("to note")
        SERIOUS = "serious", _("holds back acceptance")

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        ANSWERED = "answered", _("answered")
        SETTLED = "settled", _("settled")

    declaration = models.ForeignKey(Declaration, models.CASCADE, related_name="asked")
    code = models.CharField(max_length=24)
    about = models.CharField(max_length=200, blank=True)  # a unit, a dataset, another declaration
    severity = models.CharField(max_length=7, choices=Severity.choices)
    detail = models.CharField(max_length=2000)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    asked_at = models.DateTimeField(auto_now_add=True)
    asked_by = models.CharField(max_length=200, blank=True)  # nobody: a check
    answer = models.CharField(max_length=2000, blank=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=200, blank=True)
    settlement = models.CharField(max_length=1000, blank=True)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=200, blank=True)

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(
                fields=["declaration", "code", "about"], condition=Q(asked_by=""), name="check_asks_a_question_once"
            ),
            models.CheckConstraint(
                condition=~Q(status="answered") | Q(answered_at__isnull=False), name="answer_is_given_at_a_moment"
            ),
            models.CheckConstraint(
                condition=~Q(status="settled") | Q(settled_at__isnull=False), name="question_is_settled_at_a_moment"
            ),
        ]
        indexes = [models.Index(fields=["declaration", "id"], name="question_by_declaration")]

    def __str__(self) -> str:
        return f"{self.code} {self.about}".strip()
