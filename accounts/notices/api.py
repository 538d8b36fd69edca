"""Webhooks over the API: an organisation's programs set up where they are told, and fetch again what they missed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.response import Response

from accounts.access.api.views import ApiViewSet
from accounts.identity.core import NotFound
from accounts.notices.models import Webhook, WebhookDelivery
from accounts.notices.services import webhooks as services

_ID = r"[0-9]{1,18}"


class WebhookSerializer(serializers.ModelSerializer[Webhook]):
    """`failing_since`: the first failure after the last success. `active` is false while nothing is sent."""

    webhook = serializers.IntegerField(source="id")
    active = serializers.BooleanField(read_only=True)

    class Meta:
        model = Webhook
        fields = ["webhook", "url", "events", "active", "failing_since", "disabled_at", "created_at"]


class WebhookCreate(serializers.Serializer[Any]):
    url = serializers.CharField(max_length=500)
    events = serializers.ListField(
        child=serializers.ChoiceField(list(settings.WEBHOOK_KINDS)), allow_empty=False, max_length=100
    )


class WebhookCreated(WebhookSerializer):
    """With the secret, which is not shown again."""

    secret = serializers.CharField()

    class Meta(WebhookSerializer.Meta):
        fields = [*WebhookSerializer.Meta.fields, "secret"]


class DeliverySerializer(serializers.ModelSerializer[WebhookDelivery]):
    """`delivery` is what the header `Jeongsan-Delivery` carries, `event` the key of the event, in its body too."""

    delivery = serializers.IntegerField(source="id")
    event = serializers.CharField(source="event_key")

    class Meta:
        model = WebhookDelivery
        fields = [
            "delivery", "event", "kind", "status", "attempts", "next_attempt_at", "attempted_at", "delivered_at",
            "status_code", "error", "created_at",
        ]  # fmt: skip


@extend_schema(tags=["webhooks"])
class WebhookViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.DestroyModelMixin, ApiViewSet):
    """Addresses that are told of what happens to one's organisation. How a receiver checks them: docs/webhooks.md."""

    queryset = Webhook.objects.all()
    serializer_class = WebhookSerializer
    lookup_value_regex = _ID
    required_permission = services.PERMISSION
    answers_are_secret = True

    @extend_schema(request=WebhookCreate, responses={201: WebhookCreated})
    def create(self, request: Any) -> Response:
        """Set one up. The answer holds its secret, which is not shown again."""
        webhook, secret = services.create_webhook(actor=self.actor, **self.checked(WebhookCreate))
        return Response(self.shown(webhook) | {"secret": secret}, status=201)

    def perform_destroy(self, instance: Webhook) -> None:
        services.remove_webhook(actor=self.actor, webhook=instance)


@extend_schema(tags=["webhooks"], parameters=[OpenApiParameter("webhook_id", OpenApiTypes.INT, OpenApiParameter.PATH)])
class DeliveryViewSet(mixins.ListModelMixin, ApiViewSet):
    """What one webhook was sent, the newest first; kept for 90 days."""

    queryset = WebhookDelivery.objects.defer("body", "answer")
    serializer_class = DeliverySerializer
    lookup_value_regex = _ID
    required_permission = services.PERMISSION

    def get_queryset(self) -> Any:
        webhook_id = self.kwargs.get("webhook_id")
        if not Webhook.objects.visible_to(self.actor).filter(pk=webhook_id).exists():
            raise NotFound(_("There is no such webhook."))
        found = super().get_queryset().filter(webhook_id=webhook_id)
        status = self.request.query_params.get("status")
        return found.filter(status=status) if status else found

    @extend_schema(parameters=[OpenApiParameter("status", OpenApiTypes.STR, enum=WebhookDelivery.Status.values)])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().list(request, *args, **kwargs)

    @extend_schema(request=None, responses={202: DeliverySerializer})
    @action(detail=True, methods=["post"])
    def replay(self, request: Any, webhook_id: str, pk: str) -> Response:
        """Send it again, under the same id."""
        return Response(self.shown(services.replay(actor=self.actor, delivery=self.get_object())), status=202)
