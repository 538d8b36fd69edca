"""From an offer to a signed licence: the document, both sides' signatures, and the certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation
from licensing.intake.models import StoredFile
from licensing.licences.models.licences import Licence
from licensing.licences.models.requests import LicenceRequest, Quote
from licensing.licences.models.terms import StandardTerms
from licensing.tariffs.models import Tariff

if TYPE_CHECKING:
    from accounts.identity.core import Actor


class StandingOfferQuerySet(models.QuerySet["StandingOffer"]):
    def visible_to(self, actor: Actor) -> StandingOfferQuerySet:
        """Open ones are public, the others the society's own."""
        if actor.is_system:
            return self
        return self.filter(Q(status=StandingOffer.Status.OPEN) | Q(society_id=actor.organisation_id))

    def open(self) -> StandingOfferQuerySet:
        return self.filter(status=StandingOffer.Status.OPEN)


class StandingOffer(models.Model):
    """A licence at a fixed price that any firm of the named tiers may take by signing, without negotiation.

    One person of the society prepares it, another signs for the society, once for all who take it. It holds only while
    the tariff version in force allows self-service to those tiers.
    """

    class Status(models.TextChoices):
        PREPARED = "prepared", _("waits for a second person")
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed")

    ref = models.CharField(max_length=20, unique=True)
    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    tariff = models.ForeignKey(Tariff, models.PROTECT, related_name="+")
    terms = models.ForeignKey(StandardTerms, models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    name_ko = models.CharField(max_length=200, blank=True)
    tiers = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    uses = ArrayField(models.CharField(max_length=12))
    kinds = ArrayField(models.CharField(max_length=12))
    territory = ArrayField(models.CharField(max_length=2))
    months = models.PositiveSmallIntegerField()
    conditions = models.JSONField(default=dict)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PREPARED)
    prepared_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    typed_name = models.CharField(max_length=300, blank=True)
    capacity = models.CharField(max_length=200, blank=True)
    document_sha256 = models.CharField(max_length=64, blank=True)  # of what was signed, as canonical JSON
    signed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = StandingOfferQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.CheckConstraint(
                condition=Q(signed_by=None) | ~Q(signed_by=F("prepared_by")),
                name="standing_offer_is_signed_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=~Q(status="open") | Q(signed_by__isnull=False, signed_at__isnull=False),
                name="standing_offer_is_open_once_signed",
            ),
            models.CheckConstraint(condition=Q(months__gte=1, months__lte=60), name="standing_offer_has_a_term"),
        ]
        indexes = [models.Index(fields=["society", "status"], name="standing_offer_by_society")]

    def __str__(self) -> str:
        return self.name


class OfferQuerySet(models.QuerySet["Offer"]):
    def visible_to(self, actor: Actor) -> OfferQuerySet:
        if actor.is_system:
            return self
        return self.filter(request__in=LicenceRequest.objects.visible_to(actor))


class Offer(models.Model):
    """The contract as it is to be signed: the quote, the standard terms and their conditions, as one document.

    `agreement` is the whole as data, `sha256` that of its canonical JSON (RFC 8785); both parties sign that digest.
    `documents`: {language: the PDF's SHA-256}, made from the same data. It lapses with its quote. `open` → `signed` when
    both sides have signed, in the transaction that puts the licence on record; `withdrawn` or `lapsed` else. What it
    says never changes (`licences.sql`). From a standing offer, the society signed before.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("to be signed")
        SIGNED = "signed", _("signed")
        WITHDRAWN = "withdrawn", _("withdrawn")
        LAPSED = "lapsed", _("lapsed")

    request = models.ForeignKey(LicenceRequest, models.PROTECT, related_name="offers")
    quote = models.OneToOneField(Quote, models.PROTECT, related_name="offer")
    terms = models.ForeignKey(StandardTerms, models.PROTECT, related_name="+")
    standing = models.ForeignKey(StandingOffer, models.PROTECT, null=True, related_name="+")
    conditions = models.JSONField()
    agreement = models.JSONField()
    sha256 = models.CharField(max_length=64)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.OPEN)
    valid_to = models.DateField()  # the first day on which it can no longer be signed
    licence = models.OneToOneField(Licence, models.PROTECT, null=True, related_name="offer")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")  # who made it
    made_at = models.DateTimeField()

    objects = OfferQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(
                fields=["request"], condition=Q(status="open"), name="licence_request_has_one_open_offer"
            ),
            models.CheckConstraint(
                condition=Q(status="signed", licence__isnull=False) | ~Q(status="signed") & Q(licence=None),
                name="offer_signed_is_a_licence",
            ),
        ]
        indexes = [models.Index(fields=["status", "valid_to"], name="offer_to_lapse")]

    def __str__(self) -> str:
        return f"{self.request}: {self.sha256[:8]}"


class OfferDocument(models.Model):
    """The PDF of an offer in one language, byte for byte as it was laid before both sides."""

    offer = models.ForeignKey(Offer, models.PROTECT, related_name="documents")
    language = models.CharField(max_length=2)
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")

    class Meta:
        app_label = "licensing"
        constraints = [models.UniqueConstraint(fields=["offer", "language"], name="offer_has_one_document_a_language")]

    def __str__(self) -> str:
        return f"{self.offer} ({self.language})"


class Signature(models.Model):
    """An authorised person signed an offer by typing their name: who, in what capacity, when, and the digest signed.

    The society's is never of the person who made the offer; `licences.sql` holds that, that the digest is the offer's,
    and that a signature is never changed or deleted.
    """

    class Side(models.TextChoices):
        SOCIETY = "society", _("society")
        LICENSEE = "licensee", _("licensee")

    offer = models.ForeignKey(Offer, models.PROTECT, related_name="signatures")
    side = models.CharField(max_length=8, choices=Side.choices)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    typed_name = models.CharField(max_length=300)
    capacity = models.CharField(max_length=200)
    language = models.CharField(max_length=2)
    sha256 = models.CharField(max_length=64)
    signed_at = models.DateTimeField()

    class Meta:
        app_label = "licensing"
        constraints = [models.UniqueConstraint(fields=["offer", "side"], name="offer_is_signed_once_a_side")]

    def __str__(self) -> str:
        return f"{self.typed_name} ({self.side})"


class Certificate(models.Model):
    """Proof for anyone that a licence exists: a code to look it up by, and a signed JSON without commercial terms."""

    licence = models.OneToOneField(Licence, models.PROTECT, related_name="certificate")
    code = models.CharField(max_length=20, unique=True)  # unguessable, spelled for people: XXXX-XXXX-XXXX-XXXX
    jws = models.TextField()
    sha256 = models.CharField(max_length=64)  # of the signed payload, as canonical JSON
    issued_at = models.DateTimeField()

    class Meta:
        app_label = "licensing"

    def __str__(self) -> str:
        return self.code
