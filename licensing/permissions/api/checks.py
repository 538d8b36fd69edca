"""Permission over the API: may we use these works, and why (not)?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.api.views import ApiView
from licensing import terms
from licensing.permissions import services
from licensing.permissions.services.asking import Answer, Item

_LONGEST = {"scheme": 20, "value": 2048, "title": 1000, "creators": 2000}


class ItemSerializer(serializers.Serializer[Any]):
    """A work by identifier (`scheme`, `value`), or by `title` and `creators` where it has none."""

    scheme = serializers.ChoiceField(list(terms.SCHEMES), required=False)
    value = serializers.CharField(max_length=2048, required=False)
    title = serializers.CharField(max_length=1000, required=False)
    creators = serializers.CharField(max_length=2000, required=False)


@extend_schema_field(
    {"oneOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}], "nullable": True}
)
class DayOrMomentField(serializers.Field[Any, Any, Any, Any]):
    """A day in Seoul, or an exact moment with its offset from UTC."""

    def to_internal_value(self, data: Any) -> dt.date | dt.datetime:
        try:
            found = isinstance(data, str) and (parse_date(data) or parse_datetime(data))
        except ValueError:
            found = None
        if not found:
            raise serializers.ValidationError(
                _("Write a day as 2026-03-31, or a moment as 2026-03-31T09:00:00+09:00."), code="invalid"
            )
        return found

    def to_representation(self, value: Any) -> Any:
        return value.isoformat()


class ItemsField(serializers.Field[Any, Any, Any, Any]):
    """One to ten thousand items, read by one loop: a field object an item took longer than the answer."""

    def to_internal_value(self, data: Any) -> list[Item]:
        if not isinstance(data, list) or not data:
            raise serializers.ValidationError(_("Give a list of at least one item."), code="invalid")
        if len(data) > services.MOST_ITEMS:
            most = {"most": services.MOST_ITEMS}
            raise serializers.ValidationError(
                _("At most %(most)d items can be asked about at once.") % most, code="too_many_items"
            )
        return [_item(n, raw) for n, raw in enumerate(data)]

    def to_representation(self, value: Any) -> Any:
        return value


class CheckSerializer(serializers.Serializer[Any]):
    """Without `on`, the question is about this moment. With `receipt`, the answer carries a signed receipt."""

    use = serializers.ChoiceField(list(terms.USES))
    on = DayOrMomentField(required=False, allow_null=True)
    territory = serializers.CharField(max_length=2, required=False)
    model = serializers.CharField(max_length=200, required=False, allow_blank=True)
    dataset = serializers.CharField(max_length=200, required=False, allow_blank=True)
    receipt = serializers.BooleanField(required=False)
    items = ItemsField()


class ReasonSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class FoundWorkSerializer(serializers.Serializer[Any]):
    society = serializers.CharField()
    ref = serializers.CharField()
    title = serializers.CharField()
    kind = serializers.CharField()


class ResultSerializer(serializers.Serializer[Any]):
    """`basis` of a licensed use: `licence`, `free`, `individual` or `statutory`; else empty."""

    verdict = serializers.ChoiceField(list(terms.LINE_STATUSES))
    basis = serializers.CharField()
    work = FoundWorkSerializer(allow_null=True)
    missing_ppm = serializers.IntegerField()
    reasons = ReasonSerializer(many=True)


class PermissionCheckView(ApiView):
    """Default is no: unknown works and uses are never answered with yes."""

    required_permission = "permissions.check"

    @extend_schema(
        tags=["permissions"],
        request=inline_serializer(
            "PermissionCheck",
            {
                **{name: field for name, field in CheckSerializer().fields.items() if name != "items"},
                "items": ItemSerializer(many=True),
            },
        ),
        responses=inline_serializer(
            "PermissionAnswer",
            {
                "results": ResultSerializer(many=True),
                "as_of": serializers.DateTimeField(help_text="The moment of the answer."),
                "receipt": serializers.CharField(
                    required=False, help_text="A JWS that anyone can verify; see /receipts/verify/."
                ),
            },
        ),
    )
    def post(self, request: Request) -> Response:
        """Ask about up to 10,000 works; the answers come in the order of the items."""
        checked = services.check(actor=self.actor, **self.checked(CheckSerializer))
        shown: dict[str, Any] = {"results": shown_answers(checked.answers), "as_of": checked.as_of}
        if checked.receipt:
            shown["receipt"] = checked.receipt
        return Response(shown)


def _item(n: int, raw: Any) -> Item:
    if not isinstance(raw, dict) or not raw or not raw.keys() <= _LONGEST.keys():
        raise _wrong(n, _("An item is {scheme, value} or {title, creators}."))
    for name, text in raw.items():
        if not isinstance(text, str) or len(text) > _LONGEST[name] or not (text.isprintable() or _storable(text)):
            raise _wrong(n, _("Each part of an item is text of ordinary length."), name)
    if ("scheme" in raw) != ("value" in raw):
        raise _wrong(n, _("An identifier has a scheme and a value."))
    if "scheme" in raw and raw["scheme"] not in terms.SCHEMES:
        raise _wrong(n, _("Unknown scheme. Use one of: %(known)s.") % {"known": ", ".join(terms.SCHEMES)}, "scheme")
    return Item(**raw)


def _storable(text: str) -> bool:
    """Whether a text with unusual characters is one: no NUL, no half of a character."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _wrong(n: int, detail: str, name: str = "") -> serializers.ValidationError:
    place: Any = {name: [detail]} if name else [detail]
    return serializers.ValidationError({str(n): place})


def shown_answers(answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """Answers as the API writes them; the reasons of equal decisions are written once."""
    written: dict[int, list[dict[str, str]]] = {}
    shown = []
    for verdict, basis, work, missing_ppm, reasons in answers:
        why = written.get(id(reasons))
        if why is None:
            why = written[id(reasons)] = [{"code": reason.code, "detail": reason.detail} for reason in reasons]
        found = work and {"society": work.society, "ref": work.ref, "title": work.title, "kind": work.kind}
        shown.append({"verdict": verdict, "basis": basis, "work": found, "missing_ppm": missing_ppm, "reasons": why})
    return shown
