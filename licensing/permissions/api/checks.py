"""Permission over the API: may we use these works, and why (not)?"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, inline_serializer
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


class CheckSerializer(serializers.Serializer[Any]):
    """Without `on`, the question is about this moment. Items are read by `_item`, which is faster than a field each."""

    use = serializers.ChoiceField(list(terms.USES))
    on = serializers.DateField(required=False, allow_null=True)
    territory = serializers.CharField(max_length=2, required=False)
    model = serializers.CharField(max_length=200, required=False, allow_blank=True)
    dataset = serializers.CharField(max_length=200, required=False, allow_blank=True)
    items = serializers.ListField(child=serializers.JSONField(), min_length=1, max_length=services.MOST_ITEMS)


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
        responses=inline_serializer("PermissionAnswer", {"results": ResultSerializer(many=True)}),
    )
    def post(self, request: Request) -> Response:
        """Ask about up to 10,000 works; the answers come in the order of the items."""
        data = self.checked(CheckSerializer)
        items = [_item(n, raw) for n, raw in enumerate(data.pop("items"))]
        answers = services.check(actor=self.actor, items=items, **data)
        return Response({"results": [_shown(answer) for answer in answers]})


def _item(n: int, raw: Any) -> Item:
    if not isinstance(raw, dict) or not raw or set(raw) - set(_LONGEST):
        raise _wrong(n, _("An item is {scheme, value} or {title, creators}."))
    for name, text in raw.items():
        if not isinstance(text, str) or len(text) > _LONGEST[name] or "\0" in text:
            raise _wrong(n, _("Each part of an item is text of ordinary length."), name)
    if ("scheme" in raw) != ("value" in raw):
        raise _wrong(n, _("An identifier has a scheme and a value."))
    if "scheme" in raw and raw["scheme"] not in terms.SCHEMES:
        raise _wrong(n, _("Unknown scheme. Use one of: %(known)s.") % {"known": ", ".join(terms.SCHEMES)}, "scheme")
    return Item(**raw)


def _wrong(n: int, detail: str, name: str = "") -> serializers.ValidationError:
    place: Any = {name: [detail]} if name else [detail]
    return serializers.ValidationError({"items": {str(n): place}})


def _shown(answer: Answer) -> dict[str, Any]:
    work = answer.work
    return {
        "verdict": answer.verdict,
        "basis": answer.basis,
        "work": work and {"society": work.society, "ref": work.ref, "title": work.title, "kind": work.kind},
        "missing_ppm": answer.missing_ppm,
        "reasons": [{"code": reason.code, "detail": reason.detail} for reason in answer.reasons],
    }
