"""Tariffs over the API: public. Anyone reads the rates, and asks what some use would cost under them."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.api.views import ANYONE, ApiViewSet
from licensing import terms
from licensing.tariffs import core, services, wording
from licensing.tariffs.models import PRICING, Decision, Tariff, TariffVersion

MOST_UNITS = 10**15 - 1


class ConsultationDaysSerializer(serializers.Serializer[Any]):
    """The days on which anyone concerned may comment; `closes` is the first day after them."""

    opens = serializers.DateField(source="lower")
    closes = serializers.DateField(source="upper")


class VersionSummarySerializer(serializers.ModelSerializer[TariffVersion]):
    """A version without its rates. `valid_to` is the first day after it, null without end.

    `amends` is the number of the proposal in whose place a rate body determined this version, null for others.
    """

    valid_from = serializers.DateField(source="valid.lower")
    valid_to = serializers.DateField(source="valid.upper", allow_null=True)
    amends = serializers.IntegerField(source="amends.version", allow_null=True, default=None)
    addressed_to = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True, allow_null=True)
    consultation = ConsultationDaysSerializer(allow_null=True)
    determined_by = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True, allow_null=True)

    class Meta:
        model = TariffVersion
        fields = [
            "version", "status", "valid_from", "valid_to", "amends", "addressed_to", "published_at", "consultation",
            "decide_by", "determined_by", "determined_at", "sha256",
        ]  # fmt: skip


class DecisionSerializer(serializers.ModelSerializer[Decision]):
    """A rate body's decision with its reasons. `result` is the version that prices by it, null where it was refused."""

    body = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    result = serializers.IntegerField(source="result.version", allow_null=True, default=None)

    class Meta:
        model = Decision
        fields = ["outcome", "body", "reasons", "result", "decided_at"]


class VersionSerializer(VersionSummarySerializer):
    """A version with its document exactly as it was proposed, why and with what effect, and how it was decided."""

    decisions = DecisionSerializer(many=True)
    document = serializers.JSONField(help_text="The rates, in the form that `import_tariff` reads.")
    figures = serializers.JSONField(help_text="The predicted effect as worked out when it was proposed; may be empty.")

    class Meta(VersionSummarySerializer.Meta):
        fields = [*VersionSummarySerializer.Meta.fields, "reasons", "effect", "figures", "decisions", "document"]


class TariffSummarySerializer(serializers.ModelSerializer[Tariff]):
    """`in_force` is the number of the version that prices today, null where there is none."""

    tariff = serializers.CharField(source="ref")
    society = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    in_force = serializers.SerializerMethodField()
    versions = VersionSummarySerializer(many=True)

    class Meta:
        model = Tariff
        fields = ["id", "tariff", "society", "name", "currency", "in_force", "versions"]

    def get_in_force(self, tariff: Tariff) -> int | None:
        today = timezone.localdate()
        for version in tariff.versions.all():
            if version.status in PRICING and today in version.valid:
                return version.version
        return None


class TariffSerializer(TariffSummarySerializer):
    """A tariff with the documents of its versions."""

    versions = VersionSerializer(many=True)


class QuantitySerializer(serializers.Serializer[Any]):
    """Units of one use, kind of work and unit, and the distinct works they are of where a charge counts works."""

    use = serializers.ChoiceField(list(terms.USES))
    kind = serializers.ChoiceField(list(terms.KINDS))
    unit = serializers.ChoiceField(list(terms.UNITS))
    units = serializers.IntegerField(min_value=0, max_value=MOST_UNITS)
    works = serializers.IntegerField(min_value=0, max_value=MOST_UNITS, default=0)


class ScopeSerializer(serializers.Serializer[Any]):
    """What the licence would be for: fees and percentages for other uses and kinds are not owed."""

    uses = serializers.ListField(child=serializers.ChoiceField([*terms.USES, terms.ANY]), min_length=1, max_length=20)
    kinds = serializers.ListField(child=serializers.ChoiceField([*terms.KINDS, terms.ANY]), min_length=1, max_length=20)


class PriceAsked(serializers.Serializer[Any]):
    """Use of one billing period. Without `version`, that in force `on` a day prices it, without either today's."""

    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1, required=False, allow_null=True)
    on = serializers.DateField(required=False, allow_null=True)
    tier = serializers.CharField(max_length=40, required=False, allow_blank=True)
    quantities = serializers.ListField(child=QuantitySerializer(), max_length=200, required=False)
    bases = serializers.DictField(
        child=serializers.IntegerField(min_value=0, max_value=10**15),
        required=False,
        help_text="Declared figures by name: bases of percentages in minor units, counts as whole numbers.",
    )
    scope = ScopeSerializer(required=False)


class WordsSerializer(serializers.Serializer[Any]):
    """One step of an explanation in the reader's language."""

    label = serializers.CharField()  # type: ignore[assignment]  # a field of this name, not the serializer's own label
    value = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)


class StepsField(serializers.ListField):
    """Steps as data: `code`, and exact numbers as strings, those of money in major units."""

    child = serializers.DictField(child=serializers.CharField())


class PricedCharge(serializers.Serializer[Any]):
    """What one charge or rule comes to, in minor units, with its steps as data and in words."""

    name = serializers.CharField()
    model = serializers.CharField()
    quantity = serializers.IntegerField(allow_null=True)
    unit = serializers.CharField(allow_blank=True)
    amount = serializers.IntegerField()
    explanation = StepsField()
    words = WordsSerializer(many=True)


class PriceProblem(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class PriceSerializer(serializers.Serializer[Any]):
    """The amount in minor units: the sum of `lines` and `adjustments`. It could be billed if nothing is listed as a problem.

    A figure that no charge prices stands in `unpriced`; one that a charge asks for and that was not given in `missing`.
    """

    tariff = serializers.CharField()
    version = serializers.IntegerField()
    status = serializers.ChoiceField(TariffVersion.Status.choices)
    period_months = serializers.IntegerField(allow_null=True)
    currency = serializers.CharField()
    amount = serializers.IntegerField()
    billable = serializers.BooleanField()
    lines = PricedCharge(many=True)
    adjustments = PricedCharge(many=True)
    steps = StepsField()
    words = WordsSerializer(many=True)
    unpriced = QuantitySerializer(many=True)
    missing = serializers.ListField(child=serializers.CharField())
    problems = PriceProblem(many=True)


@extend_schema(tags=["tariffs"])
class TariffViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Published tariffs: every version, proposed ones included, with the rates as JSON. A draft is its society's own."""

    queryset = Tariff.objects.select_related("society")
    serializer_class = TariffSerializer
    ordering = ("society_id", "ref", "id")
    required_permission = ANYONE

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return TariffSummarySerializer if self.action == "list" else TariffSerializer

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        if self.action != "price":
            found = found.prefetch_related(Prefetch("versions", self._versions()))
        asked = self.request.query_params
        if ref := asked.get("society"):
            found = found.filter(society__ref=ref)
        if ref := asked.get("tariff"):
            found = found.filter(ref=ref)
        return found

    def _versions(self) -> QuerySet[TariffVersion]:
        """The versions that this actor may see."""
        seen = TariffVersion.objects.visible_to(self.actor).select_related("determined_by", "addressed_to", "amends")
        if self.action == "retrieve":
            decisions = Decision.objects.select_related("body", "result").order_by("id")
            seen = seen.prefetch_related(Prefetch("decisions", decisions))
        return seen.order_by("version")

    @extend_schema(
        parameters=[
            OpenApiParameter("society", OpenApiTypes.STR, description="only tariffs of this society (its ref)"),
            OpenApiParameter("tariff", OpenApiTypes.STR, description="only tariffs with this ref"),
        ]
    )
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().list(request, *args, **kwargs)

    @extend_schema(request=PriceAsked, responses=PriceSerializer)
    @action(detail=True, methods=["post"])
    def price(self, request: Request, pk: str) -> Response:
        """What some use of one billing period would cost, step by step. Nothing is stored."""
        asked = self.checked(PriceAsked)
        tariff = self.get_object()
        version = services.version_to_price(
            actor=self.actor, tariff=tariff, number=asked.get("version"), day=asked.get("on")
        )
        schedule = core.parse(version.document)
        rating = services.price(
            schedule=schedule,
            tier=asked.get("tier", ""),
            quantities=[core.Quantity(**quantity) for quantity in asked.get("quantities", [])],
            bases=asked.get("bases", {}),
            scope=core.Scope(**asked["scope"]) if "scope" in asked else core.ANYTHING,
        )
        return Response(PriceSerializer(_priced(tariff, version, schedule, rating)).data)


def _priced(tariff: Tariff, version: TariffVersion, schedule: core.Schedule, rating: core.Rating) -> dict[str, Any]:
    """A rating as the API gives it: its data, with every step in words."""
    data = rating.as_data()
    for line in (*data["lines"], *data["adjustments"]):
        line["words"] = wording.explained(line["explanation"], rating.currency)
    return {
        **data,
        "tariff": tariff.ref,
        "version": version.version,
        "status": version.status,
        "period_months": schedule.period_months,
        "billable": rating.billable,
        "words": wording.explained(rating.steps, rating.currency),
        "missing": data["missing_bases"],
        "problems": rating.problems(),
    }
