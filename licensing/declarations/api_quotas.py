"""What a licence may send, over the API: both parties read it, the society sets it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.api.views import ApiView
from accounts.identity.core import NotFound
from licensing.declarations import services
from licensing.declarations.services.quotas import MOST_BYTES, MOST_ROWS
from licensing.licences.models import Licence


class QuotaSerializer(serializers.Serializer[Any]):
    """`used_bytes` are kept for its declarations, `arriving_bytes` announced by uploads that are under way."""

    most_bytes = serializers.IntegerField(min_value=1, max_value=MOST_BYTES, help_text="Of all its declarations.")
    most_rows = serializers.IntegerField(min_value=1, max_value=MOST_ROWS, help_text="Of one declaration.")
    used_bytes = serializers.IntegerField(read_only=True)
    arriving_bytes = serializers.IntegerField(read_only=True)
    own = serializers.BooleanField(read_only=True, help_text="Set for this licence by its society.")


@extend_schema(tags=["licences"])
class QuotaView(ApiView):
    """How many bytes a licence may keep for its declarations, and how many rows one of them may have."""

    required_permission = {"GET": "declarations.view", "PUT": "licences.manage"}

    @extend_schema(responses=QuotaSerializer)
    def get(self, request: Request, ref: str) -> Response:
        """What is allowed and what is used."""
        return Response(_shown(self._licence(ref)))

    @extend_schema(request=QuotaSerializer, responses=QuotaSerializer)
    def put(self, request: Request, ref: str) -> Response:
        """Allow more or less. What was sent already stays."""
        said = self.checked(QuotaSerializer)
        licence = self._licence(ref)
        services.set_quota(actor=self.actor, licence=licence, **said)
        return Response(_shown(licence))

    def _licence(self, ref: str) -> Licence:
        found = Licence.objects.visible_to(self.actor).select_related("society").filter(ref=ref).first()
        if found is None:
            raise NotFound(_("There is no such licence."))
        return found


def _shown(licence: Licence) -> dict[str, Any]:
    now = services.allowance(licence)
    return dict(
        QuotaSerializer(
            {
                "most_bytes": now.bytes, "most_rows": now.rows, "used_bytes": now.used, "arriving_bytes": now.arriving,
                "own": now.own,
            }
        ).data
    )  # fmt: skip
