"""What a society holds a declaration against: public figures of datasets, and samples for a field audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from licensing.declarations.models.declarations import Declaration, DeclaredUse

if TYPE_CHECKING:
    from accounts.identity.core import Actor


class PublicFigure(models.Model):
    """What anybody can read about a dataset's size: a measure, an amount, where it is said, and since when."""

    dataset = models.CharField(max_length=200)
    measure = models.CharField(max_length=12)  # a unit of the tariffs, or `row` or `byte`
    amount = models.DecimalField(max_digits=38, decimal_places=0)
    source = models.CharField(max_length=500)
    stated_on = models.DateField()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(fields=["dataset", "measure", "source"], name="public_figure_is_kept_once"),
            models.CheckConstraint(condition=Q(amount__gte=1), name="public_figure_is_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.dataset}: {self.amount} {self.measure}"


class AuditSampleQuerySet(models.QuerySet["AuditSample"]):
    def visible_to(self, actor: Actor) -> AuditSampleQuerySet:
        """The society that draws it; the licensee hears of it from the society."""
        if actor.is_system:
            return self
        if not actor.is_society:
            return self.none()
        return self.filter(declaration__licence__society_id=actor.organisation_id)


class AuditSample(models.Model):
    """A random sample of a declaration's rows for a field audit, drawn by its seed: the same seed gives the same rows.

    Drawn by `rows`, each row has the same chance, once. Drawn by `units`, every unit of one kind has it: a row may come
    as often as its units were drawn (`size` counts draws), and what is estimated is the share of units, not of rows.
    """

    class Method(models.TextChoices):
        ROWS = "rows", _("every row alike")
        UNITS = "units", _("by their units")

    class Status(models.TextChoices):
        OPEN = "open", _("being audited")
        CLOSED = "closed", _("closed")

    declaration = models.ForeignKey(Declaration, models.PROTECT, related_name="+")
    seed = models.CharField(max_length=64)
    method = models.CharField(max_length=5, choices=Method.choices, default=Method.ROWS, db_default=Method.ROWS)
    unit = models.CharField(max_length=12, blank=True, db_default="")  # of a sample by units
    population = models.BigIntegerField()  # rows that it was drawn from
    population_units = models.DecimalField(max_digits=38, decimal_places=0, null=True)  # of a sample by units
    size = models.IntegerField()
    confidence = models.DecimalField(max_digits=4, decimal_places=3, default="0.950")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    finding = models.JSONField(default=dict)  # of a closed one: errors, estimate, low, high
    drawn_at = models.DateTimeField(auto_now_add=True)
    drawn_by = models.CharField(max_length=200)
    closed_at = models.DateTimeField(null=True)

    objects = AuditSampleQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(fields=["declaration", "seed"], name="audit_sample_is_drawn_once_by_a_seed"),
            models.CheckConstraint(
                condition=Q(method="rows", unit="", population_units__isnull=True)
                | (Q(method="units", population_units__gte=1) & ~Q(unit="")),
                name="audit_sample_by_units_names_its_unit",
            ),
        ]
        indexes = [models.Index(fields=["declaration", "-id"], name="audit_sample_by_declaration")]


class AuditLine(models.Model):
    """One sampled row, and what the auditors found."""

    class Finding(models.TextChoices):
        RIGHT = "right", _("as declared")
        WRONG = "wrong", _("not as declared")
        MISSING = "missing", _("cannot be found")

    sample = models.ForeignKey(AuditSample, models.CASCADE, related_name="rows")
    position = models.IntegerField()
    use = models.ForeignKey(DeclaredUse, models.PROTECT, related_name="+", db_constraint=False)
    draws = models.IntegerField(default=1, db_default=1)  # how often it was drawn
    finding = models.CharField(max_length=8, choices=Finding.choices, blank=True)
    found_units = models.DecimalField(max_digits=38, decimal_places=0, null=True)
    note = models.CharField(max_length=1000, blank=True)

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(fields=["sample", "position"], name="audit_line_has_its_place"),
            models.CheckConstraint(condition=Q(position__gte=1), name="audit_line_counts_from_one"),
            models.CheckConstraint(condition=Q(draws__gte=1), name="audit_line_was_drawn"),
        ]
