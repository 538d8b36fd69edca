"""Runs over the API: a society reads its own."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers

from accounts.access.api.views import ApiViewSet
from royalties.distribution.models import Run, RunPool


class DeductionSerializer(serializers.Serializer[Any]):
    """One deduction as taken: `amount` is `percent` of `base`."""

    name = serializers.CharField()
    percent = serializers.CharField()
    base = serializers.IntegerField()
    amount = serializers.IntegerField()


class RunPoolSerializer(serializers.ModelSerializer[RunPool]):
    """One invoice's money in the run. `units` counts works and unmatched identifiers; `total_weight` is text, for its length.

    Of a `release` or a `correction`, `origin_run` is the run that the money comes from; nothing is deducted from it again.
    """

    invoice = serializers.CharField(source="invoice.number")
    licensee = serializers.CharField(source="invoice.licensee.ref")
    deductions = DeductionSerializer(many=True)
    total_weight = serializers.SerializerMethodField()
    origin_run = serializers.IntegerField(source="origin.run_id", allow_null=True, default=None)

    class Meta:
        model = RunPool
        fields = [
            "invoice", "licensee", "kind", "origin_run", "amount", "deductions", "reserve", "distributable", "equal_part", "units",
            "total_weight",
        ]  # fmt: skip

    def get_total_weight(self, pool: RunPool) -> str:
        return str(int(pool.total_weight))


class RunSummarySerializer(serializers.ModelSerializer[Run]):
    """Amounts in minor units: pool + released + corrected = deductions + reserve + payable + held + suspense.

    `released` left suspense because its identifiers mean works now, `corrected` was taken back from earlier runs and divided
    anew. `period_end` is exclusive.
    """

    run = serializers.IntegerField(source="pk")
    rule = serializers.CharField(source="rule.__str__")
    period_start = serializers.DateField(source="period.lower")
    period_end = serializers.DateField(source="period.upper")
    deductions = serializers.SerializerMethodField()

    class Meta:
        model = Run
        fields = [
            "run", "status", "period_start", "period_end", "currency", "rule", "supplementary", "pool", "released", "corrected",
            "deductions",
            "reserve",
            "distributable", "payable", "held", "suspense", "holders", "works", "input_digest", "result_digest",
            "computed_at", "posted_at", "published_at",
        ]  # fmt: skip

    @extend_schema_field(serializers.DictField(child=serializers.IntegerField()))
    def get_deductions(self, run: Run) -> dict[str, int]:
        return run.deductions_in_order


class RunSerializer(RunSummarySerializer):
    """A run with its pools."""

    pools = RunPoolSerializer(many=True)

    class Meta(RunSummarySerializer.Meta):
        fields = [*RunSummarySerializer.Meta.fields, "pools"]


@extend_schema(tags=["runs"])
class RunViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Distribution runs of one's society."""

    queryset = Run.objects.select_related("rule").prefetch_related("pools__invoice__licensee", "pools__origin")
    ordering = ("-id",)
    required_permission = "distribution.view"

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return RunSummarySerializer if self.action == "list" else RunSerializer
