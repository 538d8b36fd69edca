"""Statements: what a holder is told about one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from accounts.organisations.models import Organisation
from licensing.repertoire.models import Holder
from royalties.distribution.models import Run

if TYPE_CHECKING:
    from accounts.identity.core import Actor


class StatementQuerySet(models.QuerySet["Statement"]):
    def visible_to(self, actor: Actor) -> StatementQuerySet:
        """A society sees its own; a creator those of holders whom they represent, catalogue delegates excepted.

        There is no money in the sandbox.
        """
        if actor.is_system:
            return self
        if actor.sandbox:
            return self.none()
        if actor.is_society:
            return self.filter(society_id=actor.organisation_id)
        return self.filter(holder_id__in=actor.holder_ids) if actor.can("statements.view") else self.none()


class Statement(models.Model):
    """One holder's part of one published run, in minor units. `digest` covers the allocations that it lists; it never changes."""

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    run = models.ForeignKey(Run, models.PROTECT, related_name="+")
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="+")
    number = models.CharField(max_length=40)
    currency = models.CharField(max_length=3)
    payable = models.BigIntegerField()
    held = models.BigIntegerField()
    works = models.BigIntegerField()
    lines = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    published_at = models.DateTimeField()

    objects = StatementQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["run", "holder"], name="statement_is_made_once"),
            models.UniqueConstraint(fields=["society", "number"], name="statement_number_is_unique_in_its_society"),
        ]
        indexes = [models.Index(fields=["holder", "-id"], name="statement_by_holder")]

    def __str__(self) -> str:
        return self.number
