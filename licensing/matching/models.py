"""What people and the matcher decided about what lines mean, kept as rules that can be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation
from licensing.repertoire.models import Work

if TYPE_CHECKING:
    from accounts.identity.core import Actor


class MatchRuleQuerySet(models.QuerySet["MatchRule"]):
    def visible_to(self, actor: Actor) -> MatchRuleQuerySet:
        if actor.is_system:
            return self
        return self.filter(society_id=actor.organisation_id) if actor.is_society else self.none()

    def in_force(self) -> MatchRuleQuerySet:
        return self.filter(withdrawn_at=None)


class MatchRule(models.Model):
    """Lines that say `scheme:value` mean this work; without a work: none of this society's.

    `value` is an identifier in normal form, or (scheme `title`) the key of a title and its creators. A rule goes before
    what the register says. It is never changed: it is withdrawn, and another made.
    """

    class Source(models.TextChoices):
        PERSON = "person", _("decided by a person")
        MATCHER = "matcher", _("found by the matcher")
        CLAIM = "claim", _("claimed by a creator")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    scheme = models.CharField(max_length=12)
    value = models.CharField(max_length=2048)
    work = models.ForeignKey(Work, models.PROTECT, null=True, related_name="+")
    source = models.CharField(max_length=8, choices=Source.choices)
    score = models.DecimalField(max_digits=5, decimal_places=4, null=True)  # of the matcher: how sure it was
    reason = models.CharField(max_length=1000, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)
    made_by = models.CharField(max_length=200)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.CharField(max_length=200, blank=True)
    withdrawn_because = models.CharField(max_length=1000, blank=True)

    objects = MatchRuleQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(
                fields=["society", "scheme", "value"],
                condition=Q(withdrawn_at=None),
                name="match_rule_in_force_is_one_a_value",
            )
        ]
        indexes = [
            models.Index(fields=["society", "-id"], name="match_rule_by_society"),
            models.Index(fields=["work"], name="match_rule_by_work"),
        ]


class TitleKey(models.Model):
    """One spelling under which a title and its creators find a work: of the work itself or of an alias of it.

    Made from the register by `services.refresh_titles`; `source` is the MD5 digest of what it was made of, so that a
    title that has changed is told from one that is spelled already. `plain` spellings say all that is known; the others
    leave something out (`F. Scott` → `F`). There are millions, made anew at any time: no reference of theirs is checked.
    """

    society = models.ForeignKey(Organisation, models.CASCADE, related_name="+", db_index=False, db_constraint=False)
    work = models.ForeignKey(Work, models.CASCADE, related_name="+", db_constraint=False)
    source = models.UUIDField()
    value = models.CharField(max_length=2048)
    plain = models.BooleanField()

    class Meta:
        app_label = "licensing"
        indexes = [models.Index(fields=["society", "value"], name="title_key_by_value")]


class TitleState(models.Model):
    """The state of a society's register (`RepertoireRevision`) of which its title keys were made last."""

    society = models.OneToOneField(Organisation, models.CASCADE, primary_key=True, related_name="+")
    state = models.CharField(max_length=80, blank=True)

    class Meta:
        app_label = "licensing"
