"""The creator's own payment details over the API: masked, with what waits and why nothing is paid."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers

from accounts.access.api.views import ApiViewSet
from royalties.payees.models import TAX_STATUSES, Payee, PayeeDetails
from royalties.payees.standing import BLOCKED, latest, standing, used


class PayeeVersionSerializer(serializers.ModelSerializer[PayeeDetails]):
    """One version of payment details. Of the account the last four characters are shown; an empty currency means all."""

    account = serializers.CharField(source="masked")
    tax_status = serializers.ChoiceField(choices=["", *(code for code, _label in TAX_STATUSES)])
    status = serializers.ChoiceField(choices=PayeeDetails.Status.values)

    class Meta:
        model = PayeeDetails
        fields = [
            "version", "account", "currency", "residence", "tax_status", "status", "by_holder", "requested_at", "decided_at", "usable_from",
        ]  # fmt: skip


class MyPayeeSerializer(serializers.ModelSerializer[Payee]):
    """Where a holder is paid. `blocked` is empty where nothing hinders a payment."""

    society = serializers.CharField(source="society.ref")
    holder = serializers.CharField(source="holder.ref")
    in_use = serializers.SerializerMethodField()
    waiting = serializers.SerializerMethodField()
    blocked = serializers.SerializerMethodField()

    class Meta:
        model = Payee
        fields = ["id", "society", "holder", "in_use", "waiting", "blocked"]

    @extend_schema_field(PayeeVersionSerializer(allow_null=True))
    def get_in_use(self, payee: Payee) -> Any:
        found = used(payee.details.all())
        return found and PayeeVersionSerializer(found).data

    @extend_schema_field(PayeeVersionSerializer(allow_null=True))
    def get_waiting(self, payee: Payee) -> Any:
        found = latest(payee.details.all())
        return found and PayeeVersionSerializer(found).data

    @extend_schema_field(serializers.ChoiceField(choices=["", *BLOCKED]))
    def get_blocked(self, payee: Payee) -> str:
        found = standing(payee.society_id, [payee.pk]).get(payee.pk)
        return found.blocked if found else "no_payee"


@extend_schema(tags=["me"])
class MyPayeeViewSet(mixins.ListModelMixin, ApiViewSet):
    """The creator's own payment details, masked. A person asks for this, signed in: no token may."""

    queryset = Payee.objects.select_related("society", "holder").prefetch_related("details")
    serializer_class = MyPayeeSerializer
    ordering = ("id",)
    required_permission = "payees.own"

    def get_queryset(self) -> QuerySet[Payee]:
        mine: QuerySet[Payee] = super().get_queryset()
        return mine if self.actor.holder_ids else mine.none()
