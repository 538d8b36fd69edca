"""Repertoire: rights holders, works, the identifiers that find them and the shares that divide them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.fields import DateRangeField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation
from licensing import terms

if TYPE_CHECKING:
    import datetime

    from accounts.identity.core import Actor


class HolderQuerySet(models.QuerySet["Holder"]):
    def visible_to(self, actor: Actor) -> HolderQuerySet:
        """A society sees its members; a creator sees those whom they represent."""
        if actor.is_system:
            return self
        if actor.is_society:
            return self.filter(society_id=actor.organisation_id)
        return self.filter(id__in=actor.holder_ids)


class Holder(models.Model):
    """A party that owns shares of works: the member who is told and paid."""

    class Kind(models.TextChoices):
        PERSON = "person", _("person")
        ORGANISATION = "organisation", _("organisation")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    ref = models.CharField(max_length=64)
    name = models.CharField(max_length=300)
    name_ko = models.CharField(max_length=300, blank=True)
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.PERSON)
    ipi = models.CharField(max_length=11, blank=True)
    isni = models.CharField(max_length=16, blank=True)
    email = models.EmailField(blank=True)
    country = models.CharField(max_length=2, blank=True)
    tax_status = models.CharField(max_length=20, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_default=models.functions.Now())

    objects = HolderQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [models.UniqueConstraint(fields=["society", "ref"], name="holder_ref_is_unique_in_its_society")]

    def __str__(self) -> str:
        return self.name_ko if self.name_ko and get_language() == "ko" else self.name


class WorkQuerySet(models.QuerySet["Work"]):
    def visible_to(self, actor: Actor) -> WorkQuerySet:
        """A society sees its repertoire; a creator the works in which a holder of theirs has a share."""
        if actor.is_system:
            return self
        if actor.is_society:
            return self.filter(society_id=actor.organisation_id)
        return self.filter(id__in=Share.objects.filter(holder_id__in=actor.holder_ids).values("work_id"))

    def listed_for(self, actor: Actor) -> WorkQuerySet:
        """What the actor sees, in an order that an index gives at any size."""
        return self.visible_to(actor).order_by(*(("society_id", "ref") if actor.is_society else ("pk",)))

    def named(self, scheme: str, value: str) -> WorkQuerySet:
        """The works with this normalised identifier: one a society at most."""
        return self.filter(pk__in=Identifier.objects.filter(scheme=scheme, value=value).values("work_id"))

    def search(self, text: str) -> WorkQuerySet:
        """Every word of the text, in title or creators."""
        return self.annotate(words=SearchVector("title", "creators", config="simple")).filter(words=text)


class Work(models.Model):
    """A work as its society knows it. `protected_until` is the first day on which it is free to use."""

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    ref = models.CharField(max_length=64)
    kind = models.CharField(max_length=12)
    title = models.CharField(max_length=1000)
    creators = models.CharField(max_length=2000, blank=True)
    language = models.CharField(max_length=16, blank=True)
    published = models.CharField(max_length=10, blank=True)
    protected_until = models.DateField(null=True)
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+"
    )  # the work that it turned out to be
    created_at = models.DateTimeField(auto_now_add=True, db_default=models.functions.Now())

    objects = WorkQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(fields=["society", "ref"], name="work_ref_is_unique_in_its_society"),
            models.CheckConstraint(condition=Q(kind__in=list(terms.KINDS)), name="work_kind_is_known"),
            models.CheckConstraint(condition=~Q(merged_into=models.F("pk")), name="work_is_not_merged_into_itself"),
        ]
        indexes = [GinIndex(SearchVector("title", "creators", config="simple"), name="work_by_words")]

    def __str__(self) -> str:
        return self.title


class Identifier(models.Model):
    """A normalised, checked identifier; within a society it names one work."""

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    work = models.ForeignKey(Work, models.CASCADE, related_name="identifiers")
    scheme = models.CharField(max_length=12)
    value = models.CharField(max_length=2048)

    class Meta:
        app_label = "licensing"
        constraints = [models.UniqueConstraint(fields=["society", "scheme", "value"], name="identifier_names_one_work")]
        indexes = [models.Index(fields=["scheme", "value"], name="identifier_by_value")]

    def __str__(self) -> str:
        return f"{self.scheme}:{self.value}"


class WorkAlias(models.Model):
    """Another title by which a work is known: of an edition, a translation, or in another script."""

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    work = models.ForeignKey(Work, models.CASCADE, related_name="aliases")
    title = models.CharField(max_length=1000)
    creators = models.CharField(max_length=2000, blank=True)

    class Meta:
        app_label = "licensing"
        constraints = [models.UniqueConstraint(fields=["work", "title", "creators"], name="work_alias_is_kept_once")]
        indexes = [models.Index(fields=["society"], name="work_alias_by_society")]

    def __str__(self) -> str:
        return self.title


class ShareQuerySet(models.QuerySet["Share"]):
    def visible_to(self, actor: Actor) -> ShareQuerySet:
        if actor.is_system:
            return self
        if actor.is_society:
            return self.filter(work__society_id=actor.organisation_id)
        return self.filter(holder_id__in=actor.holder_ids)

    def on(self, day: datetime.date) -> ShareQuerySet:
        return self.filter(valid__contains=day)


class Share(models.Model):
    """A holder's part of a work in one role, in parts per million, for a half-open range of days.

    `stated` keeps what the file said (`1/3`), since ppm may be rounded. Shares of a work total over all roles:
    under 1,000,000 the rest goes to suspense, over it the work is held. A holder has a share in a role once a day:
    `shares.sql` refuses more.
    """

    work = models.ForeignKey(Work, models.CASCADE, related_name="shares", db_index=False)
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="shares", db_index=False)
    role = models.CharField(max_length=20, blank=True)
    ppm = models.IntegerField()
    stated = models.CharField(max_length=40, blank=True)
    valid = DateRangeField()
    disputed = models.BooleanField(default=False, db_default=False)

    objects = ShareQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        indexes = [
            models.Index(fields=["work", "holder", "role"], name="share_by_work"),
            models.Index(fields=["holder", "work"], name="share_by_holder"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(ppm__gte=1, ppm__lte=1_000_000), name="share_is_between_1_and_1000000_ppm"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ppm} ppm"


class Representation(models.Model):
    """A person who acts for a rights holder: the member themself, or a delegate."""

    class Scope(models.TextChoices):
        MEMBER = "member", _("member")
        FULL = "full", _("full delegate")
        FINANCE = "finance", _("finance delegate")
        CATALOGUE = "catalogue", _("catalogue delegate")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    holder = models.ForeignKey(Holder, models.CASCADE, related_name="representations")
    scope = models.CharField(max_length=10, choices=Scope.choices, default=Scope.MEMBER)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "licensing"
        constraints = [models.UniqueConstraint(fields=["user", "holder"], name="representation_is_held_once")]


class RepertoireRevisionQuerySet(models.QuerySet["RepertoireRevision"]):
    def state(self, society_id: int) -> str:
        """The name of what one sees of a society's repertoire now; empty where there is nothing yet.

        Marks are random, so no two states, of this or any other database, have the same name.
        """
        seen = self.filter(society_id=society_id).aggregate(count=models.Count("pk"), sum=models.Sum("mark"))
        return f"{seen['count']}-{seen['sum']}" if seen["count"] else ""


class RepertoireRevision(models.Model):
    """One change of a society's works, identifiers, shares or mandates, so that a snapshot of them can be reused.

    Triggers (`permissions/revisions.sql`) add one with every statement that changes any of them. Rows are only added:
    a counter in one row would make every edit wait for an import that runs for minutes, or deadlock with it.
    """

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    mark = models.BigIntegerField()

    objects = RepertoireRevisionQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
