"""Invoices over the API: the two parties read their own."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers

from accounts.access.api.views import ApiViewSet
from royalties.billing.models import STATUSES, Invoice, InvoiceLine, Receipt


class InvoiceLineSerializer(serializers.ModelSerializer[InvoiceLine]):
    """One charge as billed. An adjustment (`greatest`, `minimum`, `cap`, `previously_billed`) may be negative."""

    quantity = serializers.IntegerField(allow_null=True, help_text="units or works counted, null where none are")
    explanation = serializers.ListField(
        child=serializers.DictField(child=serializers.CharField()), help_text="exact steps, in major units"
    )

    class Meta:
        model = InvoiceLine
        fields = ["position", "description", "model", "quantity", "unit", "amount", "explanation"]


class ReceiptSerializer(serializers.ModelSerializer[Receipt]):
    """Money that came in; `net` went into the pool."""

    class Meta:
        model = Receipt
        fields = ["id", "amount", "net", "vat", "received_on", "bank_ref"]


class InvoiceSummarySerializer(serializers.ModelSerializer[Invoice]):
    """Amounts in minor units. `period_end` is the first day after the period; `open` is still to be paid.

    One of kind `compensation` asks for what `case` was settled on; it has no declarations of its own.
    """

    invoice = serializers.CharField(source="number")
    society = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    licensee = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    licence = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    period_start = serializers.DateField(source="period.lower")
    period_end = serializers.DateField(source="period.upper")
    open = serializers.IntegerField()
    status = serializers.ChoiceField(choices=list(STATUSES))

    class Meta:
        model = Invoice
        fields = [
            "id", "invoice", "kind", "case", "society", "licensee", "licence", "period_start", "period_end", "currency", "net", "vat",
            "gross", "previously_billed", "received", "open", "status", "issued_on", "due_on",
        ]  # fmt: skip


class InvoiceSerializer(InvoiceSummarySerializer):
    """An invoice with its lines, receipts, and the declarations that it covers."""

    lines = InvoiceLineSerializer(many=True)
    receipts = ReceiptSerializer(many=True)
    declarations = serializers.SerializerMethodField()

    class Meta(InvoiceSummarySerializer.Meta):
        fields = [*InvoiceSummarySerializer.Meta.fields, "lines", "receipts", "declarations"]

    @extend_schema_field(serializers.ListField(child=serializers.IntegerField()))
    def get_declarations(self, invoice: Invoice) -> list[int]:
        return sorted(billed.declaration_id for billed in invoice.billed.all())


@extend_schema(tags=["invoices"])
class InvoiceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """The invoices of one's organisation: a society's own, a licensee's own."""

    queryset = Invoice.objects.select_related("society", "licensee", "licence")
    ordering = ("-id",)
    required_permission = "billing.view"

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return InvoiceSummarySerializer if self.action == "list" else InvoiceSerializer

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        if self.action == "retrieve":
            lines = Prefetch("lines", InvoiceLine.objects.order_by("position"))
            return found.prefetch_related(lines, Prefetch("receipts", Receipt.objects.order_by("id")), "billed")
        if licence := self.request.query_params.get("licence"):
            found = found.filter(licence__ref=licence)
        return found.with_status(self.request.query_params.get("status", ""))

    @extend_schema(
        parameters=[
            OpenApiParameter("licence", OpenApiTypes.STR, description="only invoices of this licence (its ref)"),
            OpenApiParameter("status", OpenApiTypes.STR, enum=list(STATUSES), description="only these"),
        ]
    )
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().list(request, *args, **kwargs)
