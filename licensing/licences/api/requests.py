"""Requests for licences over the API: a firm's program asks, sees quotes and offers; people sign, no program does."""

from __future__ import annotations

from typing import Any

from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.api.views import SIGNED_IN, ApiViewSet
from accounts.identity.core import NotFound
from accounts.organisations.models import Organisation
from accounts.organisations.services import find_organisation
from licensing import terms
from licensing.licences.api.licences import ConditionsSerializer
from licensing.licences.downloads import kept_file
from licensing.licences.models import LicenceRequest, Offer, OfferDocument, Quote, Signature
from licensing.licences.services import find_licence
from licensing.licences.services import requests as services
from licensing.tariffs.services import find_tariff

_FIGURE = serializers.IntegerField(min_value=0, max_value=10**15 - 1)


class ExpectedUseSerializer(serializers.Serializer[Any]):
    """Expected units of one use and kind of work in one billing period, and the distinct works that they are of."""

    use = serializers.ChoiceField(list(terms.USES))
    kind = serializers.ChoiceField(list(terms.KINDS))
    unit = serializers.ChoiceField(list(terms.UNITS))
    units = serializers.IntegerField(min_value=0, max_value=10**15 - 1)
    works = serializers.IntegerField(min_value=0, max_value=10**15 - 1, default=0)


class LicenceRequestCreate(serializers.Serializer[Any]):
    """`term_to` is the first day after the term; `*` means any. `quantities` and `bases` are of one billing period.

    With `submit` it is sent to the society at once; else it stays a draft. `renews` and `amends`: the ref of the licence
    that this one is to follow.
    """

    society = serializers.CharField(max_length=64)
    tariff = serializers.CharField(max_length=64)
    uses = serializers.ListField(child=serializers.ChoiceField([*terms.USES, terms.ANY]), min_length=1, max_length=10)
    kinds = serializers.ListField(
        child=serializers.ChoiceField([*terms.KINDS, terms.ANY]), min_length=1, max_length=20, default=["*"]
    )
    territory = serializers.ListField(
        child=serializers.CharField(max_length=2), min_length=1, max_length=300, default=["*"]
    )
    models = serializers.ListField(child=serializers.CharField(max_length=200), max_length=500, default=list)
    datasets = serializers.ListField(child=serializers.CharField(max_length=200), max_length=500, default=list)
    term_from = serializers.DateField()
    term_to = serializers.DateField(allow_null=True, default=None)
    tier = serializers.CharField(max_length=40, allow_blank=True, default="")
    tier_evidence = serializers.CharField(max_length=5000, allow_blank=True, default="")
    quantities = ExpectedUseSerializer(many=True, default=list)
    bases = serializers.DictField(
        child=_FIGURE, default=dict, help_text="Declared bases in minor units, and declared counts, by name."
    )
    message = serializers.CharField(max_length=5000, allow_blank=True, default="")
    renews = serializers.CharField(max_length=64, required=False)
    amends = serializers.CharField(max_length=64, required=False)
    submit = serializers.BooleanField(default=False)


class WithdrawalSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=5000, allow_blank=True, default="")


class QuoteSerializer(serializers.ModelSerializer[Quote]):
    """What one billing period costs, in minor units without VAT. `valid_to` is the first day on which it no longer holds."""

    quote = serializers.IntegerField(source="pk")
    version = serializers.IntegerField(source="version.version")
    quantities = ExpectedUseSerializer(many=True)
    bases = serializers.DictField(child=serializers.IntegerField())
    explanation = serializers.JSONField(
        source="rating", help_text="Each charge with the steps of its sum, then how they combine."
    )

    class Meta:
        model = Quote
        fields = [
            "quote", "version", "tier", "quantities", "bases", "amount", "currency", "explanation", "message", "valid_to",
            "issued_at",
        ]  # fmt: skip


class OfferDocumentSerializer(serializers.Serializer[Any]):
    """The agreement as PDF, with the SHA-256 of its bytes."""

    language = serializers.CharField()
    sha256 = serializers.CharField()
    bytes = serializers.IntegerField()
    url = serializers.CharField()


class SignatureSerializer(serializers.ModelSerializer[Signature]):
    """Who signed for which side, and when."""

    class Meta:
        model = Signature
        fields = ["side", "typed_name", "capacity", "sha256", "signed_at"]


class OfferSerializer(serializers.ModelSerializer[Offer]):
    """`sha256` is the digest that both sides sign: of `agreement` as canonical JSON (RFC 8785). Signed by people, on the page."""

    offer = serializers.IntegerField(source="pk")
    quote = serializers.IntegerField(source="quote_id")
    terms = serializers.CharField(source="terms.ref")
    terms_version = serializers.IntegerField(source="terms.version")
    conditions = ConditionsSerializer()
    agreement = serializers.JSONField(help_text="Everything that both sides sign.")
    documents = serializers.SerializerMethodField()
    signatures = SignatureSerializer(many=True)
    licence = serializers.CharField(source="licence.ref", allow_null=True, default=None)

    class Meta:
        model = Offer
        fields = [
            "offer", "quote", "status", "terms", "terms_version", "conditions", "agreement", "sha256", "documents", "signatures",
            "valid_to", "made_at", "licence",
        ]  # fmt: skip

    @extend_schema_field(OfferDocumentSerializer(many=True))
    def get_documents(self, offer: Offer) -> list[dict[str, Any]]:
        ref = self.context["ref"]
        return [
            {
                "language": each.language,
                "sha256": each.file.sha256,
                "bytes": each.file.size,
                "url": reverse(
                    "licence-request-document", kwargs={"ref": ref, "offer": offer.pk, "language": each.language}
                ),
            }
            for each in offer.documents.all()
        ]


class LicenceRequestSerializer(serializers.ModelSerializer[LicenceRequest]):
    """A request and where it stands; `reason` is that of a refusal or withdrawal."""

    request = serializers.CharField(source="ref")
    society = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    licensee = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    tariff = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    models = serializers.ListField(source="ai_models", child=serializers.CharField())
    term_from = serializers.DateField(source="term.lower")
    term_to = serializers.DateField(source="term.upper", allow_null=True)
    quantities = ExpectedUseSerializer(many=True)
    bases = serializers.DictField(child=serializers.IntegerField())
    renews = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True, allow_null=True)
    amends = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True, allow_null=True)

    class Meta:
        model = LicenceRequest
        fields = [
            "request", "society", "licensee", "tariff", "uses", "kinds", "territory", "models", "datasets", "term_from", "term_to",
            "tier", "tier_evidence", "quantities", "bases", "message", "renews", "amends", "status", "reason", "submitted_at",
        ]  # fmt: skip


class LicenceRequestDetailSerializer(LicenceRequestSerializer):
    """With its quotes and offers, the latest first."""

    quotes = serializers.SerializerMethodField()
    offers = serializers.SerializerMethodField()

    class Meta(LicenceRequestSerializer.Meta):
        fields = [*LicenceRequestSerializer.Meta.fields, "quotes", "offers"]

    @extend_schema_field(QuoteSerializer(many=True))
    def get_quotes(self, asked: LicenceRequest) -> Any:
        return QuoteSerializer(asked.quotes.select_related("version").order_by("-pk"), many=True).data

    @extend_schema_field(OfferSerializer(many=True))
    def get_offers(self, asked: LicenceRequest) -> Any:
        found = asked.offers.select_related("terms", "licence").prefetch_related("documents__file", "signatures")
        return OfferSerializer(found.order_by("-pk"), many=True, context={"ref": asked.ref}).data


@extend_schema(tags=["licences"])
class LicenceRequestViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """A firm's requests, and those sent to a society. Signing is for people: there is no operation for it."""

    queryset = LicenceRequest.objects.select_related("society", "licensee", "tariff", "renews", "amends")
    serializer_class = LicenceRequestSerializer
    lookup_field = "ref"
    lookup_value_regex = "[A-Za-z0-9._-]+"
    ordering = ("-id",)
    required_permission = {"GET": SIGNED_IN, "POST": "licences.request"}

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return LicenceRequestSerializer if self.action == "list" else LicenceRequestDetailSerializer

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        status = self.request.query_params.get("status") if self.action == "list" else None
        return found.filter(status=status) if status else found

    @extend_schema(
        parameters=[
            OpenApiParameter("status", OpenApiTypes.STR, enum=LicenceRequest.Status.values, description="only these")
        ]
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(request=LicenceRequestCreate, responses={201: LicenceRequestDetailSerializer})
    def create(self, request: Request) -> Response:
        """Begin a request; with `submit`, send it."""
        data = self.checked(LicenceRequestCreate)
        society = find_organisation(ref=data.pop("society"), kind=Organisation.Kind.SOCIETY, pointer="/society")
        tariff = find_tariff(society=society, ref=data.pop("tariff"))
        send, models = data.pop("submit"), data.pop("models")
        for name in ("renews", "amends"):
            if name in data:
                data[name] = find_licence(actor=self.actor, ref=data[name], pointer=f"/{name}")
        made = services.ask(actor=self.actor, society=society, tariff=tariff, ai_models=models, **data)
        if send:
            made = services.submit(actor=self.actor, request=made)
        return self._now(made, 201)

    @extend_schema(request=None, responses={202: LicenceRequestDetailSerializer})
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, ref: str) -> Response:
        """Send a draft to the society. From then on it is fixed."""
        return self._now(services.submit(actor=self.actor, request=self.get_object()), 202)

    @extend_schema(request=WithdrawalSerializer, responses={200: LicenceRequestDetailSerializer})
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, ref: str) -> Response:
        """Ask no longer; an open offer goes with it, until both sides have signed."""
        reason = self.checked(WithdrawalSerializer)["reason"]
        return self._now(services.withdraw(actor=self.actor, request=self.get_object(), reason=reason), 200)

    @extend_schema(
        parameters=[
            OpenApiParameter("offer", OpenApiTypes.INT, OpenApiParameter.PATH),
            OpenApiParameter("language", OpenApiTypes.STR, OpenApiParameter.PATH, enum=["ko", "en"]),
        ],
        responses={(200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY, "The agreement, as it was offered.")},
    )
    @action(
        detail=True,
        methods=["get"],
        pagination_class=None,
        url_path="offers/(?P<offer>[0-9]{1,18})/(?P<language>[a-z0-9]{2,12})",
    )
    def document(self, request: Request, ref: str, offer: str, language: str) -> HttpResponseBase:
        """The agreement of an offer as PDF, byte for byte as it was laid before both sides."""
        asked = self.get_object()
        held = OfferDocument.objects.select_related("file").filter(
            offer__request=asked, offer_id=int(offer), language=language
        )
        found = held.first()
        if found is None:
            raise NotFound(_("There is no such document."))
        return kept_file(found.file, f"{asked.ref}-{language}.pdf", "application/pdf")

    def _now(self, asked: LicenceRequest, status: int) -> Response:
        return Response(self.shown(self.get_queryset().get(pk=asked.pk)), status=status)
