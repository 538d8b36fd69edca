"""Reservations: opt-outs by which holders keep uses to themselves, and the sites whose signals say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation
from licensing.repertoire.models import Holder, Work

if TYPE_CHECKING:
    import datetime

    from accounts.identity.core import Actor


class SiteQuerySet(models.QuerySet["Site"]):
    def visible_to(self, actor: Actor) -> SiteQuerySet:
        if actor.is_system:
            return self
        if actor.is_society:
            return self.filter(society_id=actor.organisation_id)
        return self.filter(holder_id__in=actor.holder_ids)


class Site(models.Model):
    """A web host of a holder. Once its ownership is proved, its signals are read again and again and make reservations.

    Proof: the token in a file at `/.well-known/jeongsan-proof.txt`, or in `<meta name="jeongsan-proof">` on its first page.
    """

    class Proof(models.TextChoices):
        NONE = "", _("not proved yet")
        FILE = "file", _("token in a file")
        META = "meta", _("token on the first page")
        STAFF = "staff", _("checked by the society")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="+")
    host = models.CharField(max_length=253)
    token = models.CharField(max_length=64)
    proof = models.CharField(max_length=5, choices=Proof.choices, default=Proof.NONE, blank=True)
    proved_at = models.DateTimeField(null=True)
    fetched_at = models.DateTimeField(null=True)
    next_fetch_at = models.DateTimeField(null=True)
    problems = models.JSONField(default=list)  # of the last reading: [{url, code, detail}]
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SiteQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(fields=["society", "holder", "host"], name="site_is_registered_once"),
            # One holder proves a host; others may have asked too.
            models.UniqueConstraint(
                fields=["society", "host"], condition=Q(proved_at__isnull=False), name="site_is_proved_by_one_holder"
            ),
        ]
        indexes = [
            models.Index(fields=["next_fetch_at"], name="site_to_fetch"),
            models.Index(fields=["holder", "host"], name="site_by_holder"),
        ]

    def __str__(self) -> str:
        return self.host


class FoundSignal(models.Model):
    """One version of one signal, exactly as it was found. A change makes a new version; the old one is kept."""

    site = models.ForeignKey(Site, models.PROTECT, null=True, related_name="signals")
    holder = models.ForeignKey(
        Holder, models.PROTECT, null=True, related_name="+"
    )  # who handed it in, where no site did
    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    source = models.CharField(max_length=20)  # signals.readers.READERS
    vocabulary = models.CharField(max_length=40)
    url = models.CharField(max_length=2048, blank=True)
    raw = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    statements = models.JSONField(default=list)  # [{location, reserved, allowed, policy, territory}]
    problems = models.JSONField(default=list)
    found_at = models.DateTimeField()
    seen_at = models.DateTimeField()  # last found unchanged
    ended_at = models.DateTimeField(null=True)  # replaced by another version, or gone

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(
                fields=["site", "source", "url"],
                condition=Q(ended_at=None, site__isnull=False),
                name="signal_has_one_present_version",
            )
        ]
        indexes = [
            models.Index(fields=["site", "-found_at"], name="signal_by_site"),
            models.Index(fields=["holder", "-found_at"], name="signal_by_holder"),
        ]


class ReservationQuerySet(models.QuerySet["Reservation"]):
    def visible_to(self, actor: Actor) -> ReservationQuerySet:
        """The society sees those made to it, a creator those about holders of theirs, their works and their sites.

        The public register (`public()`) shows what is reserved to everyone, without who asked for it.
        """
        if actor.is_system:
            return self
        if actor.is_society:
            return self.filter(society_id=actor.organisation_id)
        return self.filter(claimant_holder_id__in=actor.holder_ids)

    def public(self) -> ReservationQuerySet:
        """Those that anybody may look up: in force now or once, never those that wait for their e-mail to be confirmed."""
        return self.exclude(status=Reservation.Status.UNCONFIRMED)

    def worded(self, text: str) -> ReservationQuerySet:
        """Every word of the text, in the title or creators that were typed."""
        return self.annotate(words=SearchVector("title", "creators", config="simple")).filter(words=text)

    def counting(self, moment: datetime.datetime) -> ReservationQuerySet:
        """In force at this moment: from when they took effect until they ended. While identity is checked they count."""
        return self.public().filter(Q(ended_at=None) | Q(ended_at__gt=moment), effective_from__lte=moment)

    def waiting(self) -> ReservationQuerySet:
        """Those whose identity is to be checked, the most urgent first: the society's queue."""
        return self.filter(status=Reservation.Status.RECEIVED).order_by("due_on", "id")

    def due(self, by: datetime.date) -> ReservationQuerySet:
        """Of the queue, those to be checked on this day or before."""
        return self.waiting().filter(due_on__lte=by)

    def overdue(self, today: datetime.date) -> ReservationQuerySet:
        """Of the queue, those whose day has passed."""
        return self.waiting().filter(due_on__lt=today)


class Reservation(models.Model):
    """A holder's opt-out: these uses of this work, of all works of this holder, at this place, or under this identifier.

    It counts from the moment it was received, never backwards, and until it ended; what was used lawfully before stays
    so. It counts while the identity of who asked is being checked, too. Rows are never deleted, and what they say is
    never changed: a change is a new reservation that supersedes this one (`reservations.sql` holds it).

    `place` is a host, or a host and a path, below which everything is reserved; `pattern`, where given, narrows it to
    locations that match (`*` any text, `$` the end). `excepting` lists patterns that it does not speak of.
    """

    class Target(models.TextChoices):
        WORK = "work", _("one work")
        HOLDER = "holder", _("all works of a holder")
        PLACE = "place", _("a web address")
        IDENTIFIER = "identifier", _("an identifier")

    class Status(models.TextChoices):
        UNCONFIRMED = "unconfirmed", _("waits for its e-mail to be confirmed")
        RECEIVED = "received", _("received, identity is being checked")
        EFFECTIVE = "effective", _("effective")
        REJECTED = "rejected", _("rejected")
        WITHDRAWN = "withdrawn", _("withdrawn")
        SUPERSEDED = "superseded", _("superseded")

    class Source(models.TextChoices):
        FORM = "form", _("public form")
        MEMBER = "member", _("member’s own page")
        FILE = "file", _("list sent in as a file")
        STAFF = "staff", _("entered by the society")
        SIGNAL = "signal", _("machine-readable signal")
        API = "api", _("program")

    ref = models.CharField(max_length=20, unique=True)  # as given on the receipt: unguessable
    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    target = models.CharField(max_length=10, choices=Target.choices)
    work = models.ForeignKey(Work, models.PROTECT, null=True, related_name="+")
    holder = models.ForeignKey(Holder, models.PROTECT, null=True, related_name="+")  # whose works, of target `holder`
    place = models.CharField(max_length=2048, blank=True)
    pattern = models.CharField(max_length=2048, blank=True)
    excepting = ArrayField(models.CharField(max_length=2048), default=list, blank=True)
    scheme = models.CharField(max_length=12, blank=True)
    value = models.CharField(max_length=2048, blank=True)
    title = models.CharField(max_length=1000, blank=True)  # as typed by who reserves
    creators = models.CharField(max_length=2000, blank=True)
    uses = ArrayField(models.CharField(max_length=12))
    territory = ArrayField(models.CharField(max_length=2))
    status = models.CharField(max_length=12, choices=Status.choices)
    received_at = models.DateTimeField(null=True)  # null until the e-mail is confirmed
    effective_from = models.DateTimeField(null=True)  # at receipt, or later where asked so
    asked_from = models.DateTimeField(
        null=True
    )  # the later moment that a form asked for, until its e-mail is confirmed
    ended_at = models.DateTimeField(null=True)
    due_on = models.DateField(null=True)  # by when identity is to be checked
    decided_at = models.DateTimeField(null=True)
    reasons = models.JSONField(default=list)  # of a rejection: [{code, detail}]
    supersedes = models.OneToOneField("self", models.PROTECT, null=True, related_name="superseded_by")

    # Who asked: seen by the society alone.
    source = models.CharField(max_length=8, choices=Source.choices)
    claimant_holder = models.ForeignKey(Holder, models.PROTECT, null=True, related_name="+")
    claimant_name = models.CharField(max_length=300, blank=True)
    claimant_email = models.EmailField(blank=True)
    claimant_role = models.CharField(max_length=300, blank=True)  # creator, heir, agent, in their own words
    language = models.CharField(max_length=2, default="ko")
    key_sha256 = models.CharField(max_length=64, blank=True)  # of the secret in the e-mail link

    # What it rests on, exactly as received.
    evidence = models.TextField(blank=True)
    evidence_sha256 = models.CharField(max_length=64, blank=True)
    evidence_url = models.CharField(max_length=2048, blank=True)
    vocabulary = models.CharField(max_length=40, blank=True)
    signal = models.ForeignKey(FoundSignal, models.PROTECT, null=True, related_name="reservations")
    created_at = models.DateTimeField(auto_now_add=True)

    # When licensees were told that it took effect, and that it ended (compliance): marks, which `reservations.sql` lets move.
    told_at = models.DateTimeField(null=True)
    end_told_at = models.DateTimeField(null=True)

    objects = ReservationQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(target="work", work__isnull=False, holder=None, place="", value="")
                    | Q(target="holder", holder__isnull=False, work=None, place="", value="")
                    | (Q(target="place", work=None, holder=None, value="") & ~Q(place=""))
                    | (Q(target="identifier", work=None, holder=None, place="") & ~Q(value="") & ~Q(scheme=""))
                ),
                name="reservation_has_the_one_target_that_it_names",
            ),
            models.CheckConstraint(
                condition=Q(uses__len__gt=0, territory__len__gt=0), name="reservation_names_uses_and_territory"
            ),
            models.CheckConstraint(
                condition=(
                    Q(status="unconfirmed", received_at=None, effective_from=None)
                    | Q(received_at__isnull=False, effective_from__isnull=False)
                    & ~Q(status="unconfirmed")
                    & Q(effective_from__gte=F("received_at"))
                ),
                name="reservation_counts_from_its_receipt_never_backwards",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["rejected", "withdrawn", "superseded"], ended_at__isnull=False)
                | Q(status__in=["unconfirmed", "received", "effective"], ended_at=None),
                name="reservation_ends_with_its_state",
            ),
        ]
        indexes = [
            models.Index(fields=["society", "status", "due_on", "id"], name="reservation_queue"),
            models.Index(fields=["society", "-id"], name="reservation_by_society"),
            models.Index(fields=["claimant_holder", "-id"], name="reservation_by_claimant"),
            models.Index(fields=["work"], condition=Q(work__isnull=False), name="reservation_of_work"),
            models.Index(fields=["holder"], condition=Q(holder__isnull=False), name="reservation_of_holder"),
            models.Index(fields=["place"], condition=~Q(place=""), name="reservation_of_place"),
            # All of one host: what begins with it, in any collation.
            models.Index(
                fields=["place"], opclasses=["varchar_pattern_ops"], condition=~Q(place=""), name="reservation_of_host"
            ),
            models.Index(fields=["scheme", "value"], condition=~Q(value=""), name="reservation_of_identifier"),
            GinIndex(SearchVector("title", "creators", config="simple"), name="reservation_by_words"),
            models.Index(
                fields=["effective_from", "id"],
                condition=Q(status="effective", told_at=None),
                name="reservation_to_tell",
            ),
            models.Index(
                fields=["id"],
                condition=Q(told_at__isnull=False, ended_at__isnull=False, end_told_at=None),
                name="reservation_end_to_tell",
            ),
        ]

    def __str__(self) -> str:
        return self.ref
