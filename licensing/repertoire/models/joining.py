"""Self-service: a creator asks to join a society, and a member puts a work on record that its co-holders confirm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation
from licensing import terms
from licensing.intake.models import StoredFile
from licensing.repertoire.models.register import Holder, Work

if TYPE_CHECKING:
    from accounts.identity.core import Actor


class ApplicationQuerySet(models.QuerySet["Application"]):
    def visible_to(self, actor: Actor) -> ApplicationQuerySet:
        """The applicant sees their own, the society's staff those made to it."""
        if actor.is_system:
            return self
        if actor.is_society:
            return self.filter(society_id=actor.organisation_id) if actor.can("membership.manage") else self.none()
        return self.filter(user_id=actor.user_id) if actor.user_id else self.none()


class Application(models.Model):
    """Somebody asks to become a member. Staff look at the identity shown; accepting makes the holder and the link to it.

    `identity` is the document shown; it is seen by the society's staff alone and let go of after the decision's term.
    """

    class Status(models.TextChoices):
        SUBMITTED = "submitted", _("submitted")
        ACCEPTED = "accepted", _("accepted")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    name = models.CharField(max_length=300)
    name_ko = models.CharField(max_length=300, blank=True)
    kind = models.CharField(max_length=12, choices=Holder.Kind.choices, default=Holder.Kind.PERSON)
    country = models.CharField(max_length=2, default="KR")
    ipi = models.CharField(max_length=11, blank=True)
    isni = models.CharField(max_length=16, blank=True)
    creates = models.CharField(max_length=2000, blank=True)  # what they make, in their own words
    identity = models.ForeignKey(StoredFile, models.PROTECT, null=True, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.SUBMITTED)
    answer = models.CharField(max_length=2000, blank=True)  # what staff said, shown to the applicant
    holder = models.ForeignKey(Holder, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(
                fields=["society", "user"],
                condition=Q(status="submitted"),
                name="application_is_open_once",
                violation_error_message=_("You have asked to join already; the society will answer."),
            ),
            models.CheckConstraint(
                condition=Q(holder__isnull=False) | ~Q(status="accepted"), name="accepted_application_has_a_holder"
            ),
        ]
        indexes = [models.Index(fields=["society", "status", "id"], name="application_by_society")]


class RegistrationQuerySet(models.QuerySet["Registration"]):
    def visible_to(self, actor: Actor) -> RegistrationQuerySet:
        """The society's staff, who registers, and whoever is named as a holder of a share."""
        if actor.is_system:
            return self
        if actor.is_society:
            return self.filter(society_id=actor.organisation_id)
        named = RegistrationShare.objects.filter(holder_id__in=actor.holder_ids).values("registration_id")
        return self.filter(Q(holder_id__in=actor.holder_ids) | Q(pk__in=named))


class Registration(models.Model):
    """A member puts a work on record with its shares. It becomes a work once every other holder named has confirmed.

    `open → confirmed` (the work exists) `| objected | withdrawn`. Shares here are what is claimed, not what counts.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("waits for the other holders")
        CONFIRMED = "confirmed", _("confirmed")
        OBJECTED = "objected", _("objected to")
        WITHDRAWN = "withdrawn", _("withdrawn")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="+")  # who registers
    kind = models.CharField(max_length=12)
    title = models.CharField(max_length=1000)
    creators = models.CharField(max_length=2000, blank=True)
    language = models.CharField(max_length=16, blank=True)
    published = models.CharField(max_length=10, blank=True)
    identifiers = models.JSONField(default=list)  # [[scheme, normalised value], …]
    valid_from = models.DateField(null=True)  # the first day of the shares; none: since the work was made
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    work = models.OneToOneField(Work, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    objects = RegistrationQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=list(terms.KINDS)), name="registration_kind_is_known"),
            models.CheckConstraint(
                condition=Q(status="confirmed", work__isnull=False) | (~Q(status="confirmed") & Q(work=None)),
                name="confirmed_registration_is_a_work",
            ),
        ]
        indexes = [
            models.Index(fields=["society", "status", "-id"], name="registration_by_society"),
            models.Index(fields=["holder", "-id"], name="registration_by_holder"),
        ]

    def __str__(self) -> str:
        return self.title


class RegistrationShare(models.Model):
    """What one holder would have of the work. Who registers has confirmed by registering."""

    registration = models.ForeignKey(Registration, models.CASCADE, related_name="shares")
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="+")
    role = models.CharField(max_length=20, blank=True)
    ppm = models.IntegerField()
    stated = models.CharField(max_length=40, blank=True)
    confirmed_at = models.DateTimeField(null=True)
    objection = models.CharField(max_length=2000, blank=True)

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(fields=["registration", "holder", "role"], name="registration_names_a_share_once"),
            models.CheckConstraint(
                condition=Q(ppm__gte=1, ppm__lte=1_000_000), name="registered_share_is_between_1_and_1000000_ppm"
            ),
        ]
        indexes = [models.Index(fields=["holder", "registration"], name="registered_share_by_holder")]
