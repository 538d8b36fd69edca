"""What a licensee still has to report: one duty a licence and reporting period, with the day it is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.identity.sql import point
from licensing.licences.models import Licence

if TYPE_CHECKING:
    import datetime

    from accounts.identity.core import Actor


class ReportDutyQuerySet(models.QuerySet["ReportDuty"]):
    def visible_to(self, actor: Actor) -> ReportDutyQuerySet:
        """The two parties of the licence."""
        if actor.is_system:
            return self
        return self.filter(licence__in=Licence.objects.visible_to(actor))

    def open(self) -> ReportDutyQuerySet:
        return self.filter(status=ReportDuty.Status.OPEN)

    def overdue(self, today: datetime.date) -> ReportDutyQuerySet:
        """Those whose day has passed: due on a day means until its end."""
        return self.open().filter(due_on__lt=today)


class ReportDuty(models.Model):
    """A licensee owes a declaration of its use in this period by this day.

    `open` until accepted or submitted declarations of the licence cover the whole period, or an authorised person
    reports that nothing was used (`nil`); `waived` by the society with a reason. Made ahead from the licence's
    conditions, and never twice for a day.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("to be reported")
        MET = "met", _("reported")
        NIL = "nil", _("reported as no use")
        WAIVED = "waived", _("waived")

    licence = models.ForeignKey(Licence, models.PROTECT, related_name="+")
    period = DateRangeField()
    due_on = models.DateField()
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.OPEN)
    settled_at = models.DateTimeField(null=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )  # who said nil or waived
    reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ReportDutyQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            ExclusionConstraint(
                name="report_duty_is_one_a_day",
                expressions=[(point("licence"), RangeOperators.OVERLAPS), ("period", RangeOperators.OVERLAPS)],
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["nil", "waived"]) | Q(settled_at__isnull=False),
                name="report_duty_is_settled_at_a_moment",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "due_on"], name="report_duty_by_day"),
            models.Index(fields=["licence", "due_on"], name="report_duty_by_licence"),
        ]

    def __str__(self) -> str:
        return f"{self.licence} {self.period}"
