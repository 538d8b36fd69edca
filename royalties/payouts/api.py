"""The creator's own payments over the API."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers

from accounts.access.api.views import SIGNED_IN, ApiViewSet
from royalties.payouts.models import Payment


class TaxLineSerializer(serializers.Serializer[Any]):
    """One tax that was withheld: `amount` = `base` × `rate` (an exact fraction), rounded as its rule says."""

    name = serializers.CharField()
    base = serializers.IntegerField()
    rate = serializers.CharField()
    amount = serializers.IntegerField()


class MyPayoutSerializer(serializers.ModelSerializer[Payment]):
    """One payment, in minor units: gross = withheld + net. Of the account only the last four characters show.

    `brought_forward` is what earlier payouts had carried forward of the gross. A payment that was `rejected` or `returned` is
    owed again, whole; `resend_of` is the one that this makes up for. `on_behalf` says that somebody else got it, by a right
    to a part of what the holder is owed.
    """

    society = serializers.CharField(source="society.ref")
    holder = serializers.CharField(source="holder.ref")
    holder_name = serializers.CharField(source="holder.__str__")
    payout = serializers.IntegerField(source="batch_id")
    taxes = serializers.SerializerMethodField()
    account = serializers.CharField(source="details.masked")
    on_behalf = serializers.SerializerMethodField()
    resend_of = serializers.IntegerField(source="resend_of_id", allow_null=True)

    class Meta:
        model = Payment
        fields = [
            "id", "payout", "end_to_end_id", "society", "holder", "holder_name", "currency", "gross", "withheld", "net", "taxes",
            "brought_forward", "account", "on_behalf", "status", "reason", "reason_text", "execute_on", "ended_on", "resend_of",
        ]  # fmt: skip

    @extend_schema_field(TaxLineSerializer(many=True))
    def get_taxes(self, payment: Payment) -> Any:
        return TaxLineSerializer(payment.taxes, many=True).data

    def get_on_behalf(self, payment: Payment) -> bool:
        return payment.entitlement_id is not None


@extend_schema(tags=["me"])
class MyPayoutViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Payments that were ordered for the creator, the latest first."""

    queryset = Payment.objects.select_related("society", "holder", "details")
    serializer_class = MyPayoutSerializer
    ordering = ("-id",)
    required_permission = SIGNED_IN

    def get_queryset(self) -> QuerySet[Payment]:
        mine: QuerySet[Payment] = super().get_queryset()
        return mine if self.actor.holder_ids else mine.none()
