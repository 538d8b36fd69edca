"""Invoices over the API: the two parties read their own."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers

from accounts.access.api.views import ApiViewSet
from royalties.billing.models import STATUSES, Invoice, InvoiceCredit, InvoiceLine, Receipt


class InvoiceLineSerializer(serializers.ModelSerializer[InvoiceLine]):
    """One charge as billed. An adjustment (`greatest`, `minimum`, `cap`, `previously_billed`) may be negative.

    Lines sum to the net; `credit_carried` stands beside it: what the licensee's favour pays of the gross.
    """

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


class CreditSerializer(serializers.ModelSerializer[InvoiceCredit]):
    """What a credit note takes off an invoice: of what was open, or (`returned`) of what was paid already."""

    credit_note = serializers.CharField(source="credit.number")
    invoice = serializers.CharField(source="invoice.number")

    class Meta:
        model = InvoiceCredit
        fields = ["credit_note", "invoice", "net", "vat", "returned"]


class InvoiceSummarySerializer(serializers.ModelSerializer[Invoice]):
    """Amounts in minor units. `period_end` is the first day after the period; `open` is still to be paid.

    One of kind `estimate` stands in for a report that is missing, `advance` asks for a fixed price, `credit` takes back
    what was billed too much: its amounts are negative. `credited` is what credit notes took off this one, `carried` what
    earlier ones left in the licensee's favour. `version` is that of the tariff which rated it. One of kind
    `compensation` asks for what `case` was settled on; it has no declarations of its own.
    """

    invoice = serializers.CharField(source="number")
    society = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    licensee = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    licence = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    period_start = serializers.DateField(source="period.lower")
    period_end = serializers.DateField(source="period.upper")
    open = serializers.IntegerField()
    status = serializers.ChoiceField(choices=list(STATUSES))
    version = serializers.IntegerField(source="version.version", allow_null=True, default=None)

    class Meta:
        model = Invoice
        fields = [
            "id", "invoice", "kind", "case", "society", "licensee", "licence", "period_start", "period_end", "currency", "version",
            "net", "vat", "gross", "previously_billed", "received", "credited", "carried", "open", "status", "issued_on", "due_on",
        ]  # fmt: skip


class InvoiceSerializer(InvoiceSummarySerializer):
    """An invoice with its lines, receipts, the declarations that it covers, and what it corrects or what corrects it.

    `basis` says what an estimate or an advance rests on, null for declared use.
    """

    lines = InvoiceLineSerializer(many=True)
    receipts = ReceiptSerializer(many=True)
    declarations = serializers.SerializerMethodField()
    corrects = CreditSerializer(many=True)
    corrected_by = CreditSerializer(many=True)
    basis = serializers.SerializerMethodField()

    class Meta(InvoiceSummarySerializer.Meta):
        fields = [
            *InvoiceSummarySerializer.Meta.fields,
            "lines",
            "receipts",
            "declarations",
            "corrects",
            "corrected_by",
            "basis",
        ]

    @extend_schema_field(serializers.ListField(child=serializers.IntegerField()))
    def get_declarations(self, invoice: Invoice) -> list[int]:
        return sorted(billed.declaration_id for billed in invoice.billed.all())

    @extend_schema_field(serializers.DictField(allow_null=True))
    def get_basis(self, invoice: Invoice) -> Any:
        return invoice.rating.get("basis")


@extend_schema(tags=["invoices"])
class InvoiceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """The invoices of one's organisation: a society's own, a licensee's own."""

    queryset = Invoice.objects.select_related("society", "licensee", "licence", "version")
    ordering = ("-id",)
    required_permission = "billing.view"

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return InvoiceSummarySerializer if self.action == "list" else InvoiceSerializer

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        if self.action == "retrieve":
            lines = Prefetch("lines", InvoiceLine.objects.order_by("position"))
            credits = InvoiceCredit.objects.select_related("credit", "invoice").order_by("id")
            return found.prefetch_related(
                lines, Prefetch("receipts", Receipt.objects.order_by("id")), "billed", Prefetch("corrects", credits),
                Prefetch("corrected_by", credits),
            )  # fmt: skip
        if (kind := self.request.query_params.get("kind")) in Invoice.Kind.values:
            found = found.filter(kind=kind)
        if licence := self.request.query_params.get("licence"):
            found = found.filter(licence__ref=licence)
        return found.with_status(self.request.query_params.get("status", ""))

    @extend_schema(
        parameters=[
            OpenApiParameter("licence", OpenApiTypes.STR, description="only invoices of this licence (its ref)"),
            OpenApiParameter("kind", OpenApiTypes.STR, enum=list(Invoice.Kind.values), description="only these"),
            OpenApiParameter("status", OpenApiTypes.STR, enum=list(STATUSES), description="only these"),
        ]
    )
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().list(request, *args, **kwargs)
