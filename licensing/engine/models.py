"""Which engine computes for a society."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation


class EngineChoice(models.Model):
    """A society whose declarations and runs are computed on another engine than the installation's own."""

    class Name(models.TextChoices):
        DUCKDB = "duckdb", _("DuckDB, inside the worker")
        SPARK = "spark", _("Apache Spark, on a cluster")

    society = models.OneToOneField(Organisation, models.CASCADE, related_name="+")
    engine = models.CharField(max_length=8, choices=Name.choices)
    set_at = models.DateTimeField(auto_now=True)

    class Meta:
        app_label = "licensing"
        constraints = [
            models.CheckConstraint(condition=models.Q(engine__in=["duckdb", "spark"]), name="engine_is_a_known_one")
        ]
