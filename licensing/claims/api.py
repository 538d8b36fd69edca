"""Unmatched uses and claims over the API: a public list; a creator's own claims; those to a society, to decide."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.api.views import ANYONE, ApiViewSet
from accounts.identity.core import NotFound
from licensing import terms
from licensing.claims import services
from licensing.claims.models import Claim, Unmatched
from licensing.claims.services import claiming, deciding, looking, telling
from licensing.repertoire.models import Holder, Work

_NUMBER = "[0-9]{1,18}"
_REF = "[0-9A-Za-z-]{1,40}"


class PublicIdentifierSerializer(serializers.Serializer[Any]):
    scheme = serializers.CharField()
    value = serializers.CharField()


class UnmatchedSerializer(serializers.Serializer[Unmatched]):
    """What reports of use name and no register knows. `units` are sums by unit, `society` keeps the money that waits.

    Who used it, and on what terms, is not public.
    """

    id = serializers.IntegerField()
    title = serializers.CharField(allow_blank=True)
    creators = serializers.CharField(allow_blank=True)
    kind = serializers.ChoiceField(list(terms.KINDS))
    identifiers = PublicIdentifierSerializer(many=True)
    units = serializers.DictField(child=serializers.IntegerField())
    society = serializers.CharField()

    def to_representation(self, instance: Unmatched) -> dict[str, Any]:
        told = telling.public(instance)
        return {
            "id": told.id,
            "title": told.title,
            "creators": told.creators,
            "kind": told.kind,
            "identifiers": [{"scheme": scheme, "value": value} for scheme, value in told.identifiers],
            "units": told.units,
            "society": instance.society.ref,
        }


_FILTERS = [
    OpenApiParameter(
        "q", OpenApiTypes.STR, description="Words of title and creators, `isbn:9788936434267`, or a web address."
    ),
    OpenApiParameter("kind", OpenApiTypes.STR, enum=list(terms.KINDS)),
    OpenApiParameter("society", OpenApiTypes.STR, description="Only where this society keeps the money."),
]


@extend_schema(tags=["claims"])
class UnmatchedViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """What was used and nobody knows whose it is; no sign-in needed. The newest first."""

    queryset = Unmatched.objects.select_related("society")
    serializer_class = UnmatchedSerializer
    ordering = ("-id",)
    lookup_value_regex = _NUMBER
    required_permission = {"GET": ANYONE}
    rate = 60

    def get_queryset(self) -> Any:
        found, asked = self.queryset.public(), self.request.query_params
        if self.action != "list":
            return found
        if text := asked.get("q", "").strip():
            found = looking.looked_up_in_public(found, text)
        if society := asked.get("society"):
            found = found.filter(society__ref=society)
        return looking.of_kind(found, asked.get("kind", ""))

    @extend_schema(parameters=_FILTERS)
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)


class ClaimSerializer(serializers.ModelSerializer[Claim]):
    """A claim to an unmatched item. `reason` is the society's answer; `evidence` the name of the file that was added."""

    item = UnmatchedSerializer()
    holder = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True, allow_null=True)
    work = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True, allow_null=True)
    evidence = serializers.CharField(source="evidence.name", default=None, read_only=True, allow_null=True)

    class Meta:
        model = Claim
        fields = [
            "ref", "item", "holder", "work", "statement", "evidence", "status", "reason", "made_at", "decided_at",
        ]  # fmt: skip


class ClaimCreate(serializers.Serializer[Any]):
    """`item` is an id of `/unmatched/`. Show that it is yours: with a file (`evidence`, sent as multipart), or with `work`, the
    reference of a work that is on record as yours. `holder` (reference) may be left out by who acts for one member alone."""

    item = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    statement = serializers.CharField(max_length=claiming.LONGEST)
    work = serializers.CharField(max_length=64, required=False)
    holder = serializers.CharField(max_length=64, required=False)
    evidence = serializers.FileField(required=False)


_STATUS = [OpenApiParameter("status", OpenApiTypes.STR, enum=Claim.Status.values, description="only these")]


class _Claims(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    queryset = Claim.objects.select_related("item__society", "holder", "work", "evidence")
    serializer_class = ClaimSerializer
    ordering = ("-id",)
    lookup_field = "ref"
    lookup_value_regex = _REF

    def get_queryset(self) -> Any:
        found, status = super().get_queryset(), self.request.query_params.get("status", "")
        return found.filter(status=status) if self.action == "list" and status in Claim.Status.values else found

    @extend_schema(parameters=_STATUS)
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)


@extend_schema(tags=["claims"])
class MyClaimViewSet(_Claims):
    """A creator's own claims: made, followed, withdrawn."""

    required_permission = {"GET": claiming.PERMISSION, "POST": claiming.PERMISSION}
    parser_classes = [JSONParser, MultiPartParser, FormParser]

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        return found.none() if self.actor.organisation_id is not None else found

    @extend_schema(
        request={"application/json": ClaimCreate, "multipart/form-data": ClaimCreate}, responses={201: ClaimSerializer}
    )
    def create(self, request: Request) -> Response:
        data = self.checked(ClaimCreate)
        item = Unmatched.objects.public().select_related("society").filter(pk=data["item"]).first()
        if item is None:
            raise NotFound(_("There is no such item. Perhaps it has been matched since."), pointer="/item")
        holder = self._holder(item, data.get("holder", ""))
        file = data.get("evidence")
        made = services.claim(
            actor=self.actor, holder=holder, item=item, statement=data["statement"], evidence=file,
            name=file.name if file else "", work=self._work(holder, data["work"]) if data.get("work") else None,
        )  # fmt: skip
        return Response(self.shown(self.get_queryset().get(pk=made.pk)), status=201)

    @extend_schema(request=None, responses=ClaimSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, ref: str) -> Response:
        """Take a claim back that is open."""
        services.withdraw(actor=self.actor, claim=self.get_object())
        return Response(self.shown(self.get_object()))

    def _holder(self, item: Unmatched, ref: str) -> Holder:
        mine = Holder.objects.filter(pk__in=self.actor.holder_ids)
        found = list((mine.filter(ref=ref) if ref else mine.filter(society_id=item.society_id)).order_by("pk")[:2])
        if len(found) != 1:
            said = _("Name the member of %(society)s for whom you claim, by its reference.")
            raise NotFound(said % {"society": item.society}, pointer="/holder")
        return found[0]

    def _work(self, holder: Holder, ref: str) -> Work:
        found = Work.objects.visible_to(self.actor).filter(society_id=holder.society_id, ref=ref).first()
        if found is None:
            raise NotFound(_("There is no work of yours with this reference."), pointer="/work")
        return found


class RefusalSerializer(serializers.Serializer[Any]):
    claim = serializers.CharField(max_length=40)
    reason = serializers.CharField(max_length=claiming.LONGEST_REASON)


class ClaimDecision(serializers.Serializer[Any]):
    """All open claims to the item at once: this one is accepted, with the `work` (reference) of the claimant's where the claim
    names none; every other one is refused with its reason."""

    work = serializers.CharField(max_length=64, required=False)
    reason = serializers.CharField(max_length=claiming.LONGEST_REASON, required=False, allow_blank=True)
    refused = RefusalSerializer(many=True, required=False)


class ClaimRefusal(serializers.Serializer[Any]):
    """All open claims to the item are refused, this one among them; the item stays open."""

    refused = RefusalSerializer(many=True)


@extend_schema(tags=["claims"])
class ClaimViewSet(_Claims):
    """Claims to a society's unmatched items. Those to one item are decided together."""

    required_permission = {"GET": deciding.PERMISSION, "POST": deciding.PERMISSION}

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        return found if self.actor.is_society else found.none()

    @extend_schema(request=ClaimDecision, responses=ClaimSerializer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, ref: str) -> Response:
        """Accept this claim, and refuse the others to the same item."""
        data, claim = self.checked(ClaimDecision), self.get_object()
        work = None
        if "work" in data:
            work = Work.objects.visible_to(self.actor).filter(ref=data["work"]).first()
            if work is None:
                raise NotFound(_("There is no such work."), pointer="/work")
        return self._decided(claim, claim, data.get("refused", []), work, data.get("reason", ""))

    @extend_schema(request=ClaimRefusal, responses=ClaimSerializer)
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, ref: str) -> Response:
        """Refuse all open claims to the item."""
        data, claim = self.checked(ClaimRefusal), self.get_object()
        return self._decided(claim, None, data["refused"], None, "")

    def _decided(self, claim: Claim, accepted: Claim | None, refused: Any, work: Work | None, reason: str) -> Response:
        numbers = dict(claim.item.claims.filter(ref__in=[each["claim"] for each in refused]).values_list("ref", "pk"))
        reasons = {numbers[each["claim"]]: each["reason"] for each in refused if each["claim"] in numbers}
        if accepted is not None:
            reasons[accepted.pk] = reason
        services.decide_claims(
            actor=self.actor, item=claim.item, seen=set(reasons), accepted=accepted, work=work, reasons=reasons
        )
        return Response(self.shown(self.get_object()))
