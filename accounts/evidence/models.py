"""Evidence: one row for every state change, written with it, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from accounts.identity.core import Actor


class EventQuerySet(models.QuerySet["Event"]):
    def visible_to(self, actor: Actor) -> EventQuerySet:
        """An organisation's own events; the system sees all."""
        if actor.is_system:
            return self
        if actor.organisation_id is None:
            return self.none()
        return self.filter(organisation_id=actor.organisation_id)

    def about(self, kind: str, id: int | str) -> EventQuerySet:
        return self.filter(object_kind=kind, object_id=str(id))


def _worded(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_worded, value))
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    return str(value)


class Event(models.Model):
    """What happened, to which object, by whom and when.

    Actor, object and organisation are plain references, because evidence lies below everything that it speaks of.
    The database refuses to update, delete or truncate it.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(auto_now_add=True)
    actor_kind = models.CharField(max_length=10)
    actor_id = models.BigIntegerField(null=True)
    actor_label = models.CharField(max_length=200)
    verb = models.CharField(max_length=60)
    object_kind = models.CharField(max_length=40)
    object_id = models.CharField(max_length=64)
    organisation_id = models.BigIntegerField(null=True)
    data = models.JSONField(default=dict)

    objects = EventQuerySet.as_manager()

    class Meta:
        app_label = "accounts"
        indexes = [
            models.Index(fields=["object_kind", "object_id", "id"], name="event_by_object"),
            models.Index(fields=["organisation_id", "-id"], name="event_by_organisation"),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.object_kind}:{self.object_id}"

    @property
    def facts(self) -> list[tuple[str, str]]:
        """`data` as words for people: what is empty left out, lists in a row."""
        return [
            (name.replace("_", " "), _worded(value)) for name, value in self.data.items() if value not in (None, "", [])
        ]
