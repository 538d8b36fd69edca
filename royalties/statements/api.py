"""The creator's own over the API: statements with the why of each line, works, and their uses."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.api.views import SIGNED_IN, ApiViewSet
from licensing.declarations.models import DeclaredUse
from licensing.repertoire.models import Share, Work
from royalties.distribution.models import Allocation
from royalties.statements import core, wording
from royalties.statements.models import Statement
from royalties.statements.services import facts

_LARGEST_FIRST = ("-amount", "id")
MOST_LINES = 2_000  # beyond, the split by use is left out: the lines have it


class StatementSummarySerializer(serializers.ModelSerializer[Statement]):
    """Amounts in minor units. `period_end` is the first day after the period of use."""

    society = serializers.CharField(source="society.ref")
    holder = serializers.CharField(source="holder.ref")
    holder_name = serializers.CharField(source="holder.__str__")
    run = serializers.IntegerField(source="run_id")
    period_start = serializers.DateField(source="run.period.lower")
    period_end = serializers.DateField(source="run.period.upper")
    supplementary = serializers.BooleanField(source="run.supplementary")
    reversed = serializers.SerializerMethodField()

    class Meta:
        model = Statement
        fields = [
            "id", "number", "society", "holder", "holder_name", "run", "period_start", "period_end", "supplementary", "reversed",
            "currency", "payable", "held", "works", "lines", "digest", "published_at",
        ]  # fmt: skip

    def get_reversed(self, statement: Statement) -> bool:
        return statement.run.status == "reversed"


class UseSumSerializer(serializers.Serializer[Any]):
    """What one licensee's use of the holder's works brought."""

    licensee = serializers.CharField()
    use = serializers.CharField()
    unit = serializers.CharField()
    units = serializers.IntegerField()
    works = serializers.IntegerField()
    amount = serializers.IntegerField()


class ShownDeductionSerializer(serializers.Serializer[Any]):
    """A deduction of the whole pool, and the holder's proportion of it (for information, half up)."""

    name = serializers.CharField()
    percent = serializers.CharField()
    amount = serializers.IntegerField()
    part = serializers.IntegerField()


class PoolViewSerializer(serializers.Serializer[Any]):
    """One invoice's money, what was taken from it, and what the holder got of the rest."""

    invoice = serializers.CharField()
    licensee = serializers.CharField()
    pool = serializers.IntegerField()
    deductions = ShownDeductionSerializer(many=True)
    reserve = serializers.IntegerField()
    distributable = serializers.IntegerField()
    amount = serializers.IntegerField()


class StatementSerializer(StatementSummarySerializer):
    """A statement by pool and, up to 2,000 lines, by licensee and use."""

    pools = serializers.SerializerMethodField()
    uses = serializers.SerializerMethodField()

    class Meta(StatementSummarySerializer.Meta):
        fields = [*StatementSummarySerializer.Meta.fields, "pools", "uses"]

    @extend_schema_field(PoolViewSerializer(many=True))
    def get_pools(self, row: Statement) -> Any:
        pools = facts.RunFacts(row.run).pools
        return [_pool(core.pool_view(pools[pool], amount)) for pool, amount in sorted(facts.pool_amounts(row).items())]

    @extend_schema_field(UseSumSerializer(many=True))
    def get_uses(self, row: Statement) -> Any:
        if row.lines > MOST_LINES:
            return []
        return UseSumSerializer(core.use_sums(facts.RunFacts(row.run).lines(facts.own_lines(row))), many=True).data


def _pool(view: core.PoolView) -> dict[str, Any]:
    pool = view.pool
    return {
        "invoice": pool.invoice, "licensee": pool.licensee, "pool": pool.amount,
        "deductions": [{"name": d.name, "percent": d.percent, "amount": d.amount, "part": part} for d, part in view.parts],
        "reserve": pool.reserve, "distributable": pool.distributable, "amount": view.amount,
    }  # fmt: skip


class StepSerializer(serializers.Serializer[Any]):
    """One number on the way to an amount, in words of the caller's language."""

    label = serializers.CharField()  # type: ignore[assignment]
    value = serializers.CharField()
    detail = serializers.CharField()


class LineSerializer(serializers.Serializer[Any]):
    """One amount of a statement. `weight` is text, for its length; `share_ppm` is the share in parts per million."""

    work_ref = serializers.CharField()
    title = serializers.CharField()
    licensee = serializers.CharField(source="pool.licensee")
    invoice = serializers.CharField(source="pool.invoice")
    role = serializers.CharField()
    share_ppm = serializers.IntegerField(source="ppm")
    weight = serializers.CharField()
    work_amount = serializers.IntegerField()
    shares_amount = serializers.IntegerField(source="set_amount")
    amount = serializers.IntegerField()
    status = serializers.ChoiceField(choices=Allocation.Status.values)
    reason = serializers.CharField()
    why = serializers.SerializerMethodField()

    @extend_schema_field(StepSerializer(many=True))
    def get_why(self, line: core.Line) -> Any:
        return StepSerializer(wording.why(line, self.context["currency"]), many=True).data


@extend_schema(tags=["me"])
class MyStatementViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """The creator's own statements (for a society's token: all of its statements)."""

    queryset = Statement.objects.select_related("society", "holder", "run__rule")
    ordering: tuple[str, ...] = ("-id",)
    required_permission = "statements.view"

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return StatementSerializer if self.action == "retrieve" else StatementSummarySerializer

    @extend_schema(responses=LineSerializer(many=True))
    @action(detail=True, methods=["get"])
    def lines(self, request: Request, pk: str) -> Response:
        """Every amount of the statement with its why, the largest first, in pages."""
        row = self.get_object()
        self.ordering = _LARGEST_FIRST
        page = self.paginate_queryset(facts.own_lines(row))
        assert page is not None
        by_id = {
            line.id: line
            for line in facts.RunFacts(row.run).lines(facts.own_lines(row).filter(id__in=[each.pk for each in page]))
        }
        lines = [by_id[each.pk] for each in page]
        return self.get_paginated_response(LineSerializer(lines, many=True, context={"currency": row.currency}).data)


class MyShareSerializer(serializers.ModelSerializer[Share]):
    """A share of the creator's; days are half-open, null where there is no end."""

    holder = serializers.CharField(source="holder.ref")
    share_ppm = serializers.IntegerField(source="ppm")
    valid_from = serializers.DateField(source="valid.lower", allow_null=True)
    valid_to = serializers.DateField(source="valid.upper", allow_null=True)

    class Meta:
        model = Share
        fields = ["holder", "role", "share_ppm", "valid_from", "valid_to", "disputed"]


class MyWorkSerializer(serializers.ModelSerializer[Work]):
    """A work in which the creator has a share."""

    work_ref = serializers.CharField(source="ref")
    society = serializers.CharField(source="society.ref")
    shares = MyShareSerializer(many=True, source="own_shares")

    class Meta:
        model = Work
        fields = ["id", "society", "work_ref", "kind", "title", "creators", "published", "shares"]


@extend_schema(tags=["me"])
class MyWorkViewSet(mixins.ListModelMixin, ApiViewSet):
    """The creator's own works, with the creator's shares of them."""

    queryset = Work.objects.select_related("society")
    serializer_class = MyWorkSerializer
    ordering = ("id",)
    required_permission = SIGNED_IN

    def get_queryset(self) -> QuerySet[Work]:
        own = Share.objects.filter(holder_id__in=self.actor.holder_ids).select_related("holder")
        found = Work.objects.visible_to(self.actor).filter(id__in=own.values("work_id"))
        return found.select_related("society").prefetch_related(Prefetch("shares", own, to_attr="own_shares"))


class MyUseSerializer(serializers.ModelSerializer[DeclaredUse]):
    """What a licensee declared of one of the creator's works."""

    work_ref = serializers.CharField(source="work.ref")
    title = serializers.CharField(source="work.title")
    licensee = serializers.CharField(source="declaration.licence.licensee.ref")
    period_start = serializers.DateField(source="declaration.period.lower")
    period_end = serializers.DateField(source="declaration.period.upper")
    model = serializers.CharField(source="declaration.model")
    dataset = serializers.CharField(source="declaration.dataset")
    units = serializers.SerializerMethodField()

    class Meta:
        model = DeclaredUse
        fields = [
            "id", "work_ref", "title", "licensee", "period_start", "period_end", "model", "dataset", "use", "unit", "used_on", "units",
            "status", "basis",
        ]  # fmt: skip

    def get_units(self, use: DeclaredUse) -> int:
        return int(use.units)


@extend_schema(tags=["me"])
class MyUseViewSet(mixins.ListModelMixin, ApiViewSet):
    """Uses of the creator's works in accepted declarations."""

    queryset = DeclaredUse.objects.select_related("work", "declaration__licence__licensee")
    serializer_class = MyUseSerializer
    ordering = ("-id",)
    required_permission = SIGNED_IN

    def get_queryset(self) -> QuerySet[DeclaredUse]:
        mine: QuerySet[DeclaredUse] = super().get_queryset()
        return mine if self.actor.holder_ids else mine.none()
