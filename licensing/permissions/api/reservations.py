"""Reservations over the API: a public look-up; members and societies make and withdraw them."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Q
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.api.views import ANYONE, SIGNED_IN, ApiViewSet
from accounts.identity.core import Actor, Refusal
from accounts.organisations.models import Organisation
from licensing import terms
from licensing.permissions.core import places
from licensing.permissions.models import Reservation
from licensing.permissions.services import reservations, telling
from licensing.permissions.services.reservations import Claimant, Target
from licensing.repertoire.identifiers import BadIdentifier, normalise, split
from licensing.repertoire.models import Holder, Work

_SEEN: Final = [status for status in Reservation.Status.values if status != Reservation.Status.UNCONFIRMED]


class ReservationSerializer(serializers.Serializer[Any]):
    """What is reserved: `work`, `holder`, `place` or `identifier`, as `target` says. Who asked is not shown.

    It counts from `effective_from` until `ended_at` (null: it stands). `pattern` narrows a place, `excepting` lists what it
    does not speak of.
    """

    ref = serializers.CharField()
    society = serializers.CharField()
    target = serializers.ChoiceField(Reservation.Target.choices)
    work = serializers.CharField(allow_null=True)
    title = serializers.CharField(allow_blank=True)
    holder = serializers.CharField(allow_null=True)
    place = serializers.CharField(allow_blank=True)
    pattern = serializers.CharField(allow_blank=True)
    excepting = serializers.ListField(child=serializers.CharField())
    identifier = serializers.CharField(allow_null=True)
    uses = serializers.ListField(child=serializers.CharField())
    territory = serializers.ListField(child=serializers.CharField())
    status = serializers.ChoiceField(_SEEN)
    effective_from = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, instance: Reservation) -> dict[str, Any]:
        return dict(super().to_representation(telling.public(instance)))


class ReservationCreate(serializers.Serializer[Any]):
    """One of `work_ref`, `identifier` (`isbn:…`), `place` (`example.com/books`), or `holder_ref` alone: all works of a member.

    `holder_ref` otherwise says for which member it is; a creator who acts for one alone may leave it out.
    """

    work_ref = serializers.CharField(max_length=64, required=False)
    identifier = serializers.CharField(max_length=2100, required=False)
    place = serializers.CharField(max_length=2048, required=False)
    holder_ref = serializers.CharField(max_length=64, required=False)
    uses = serializers.ListField(child=serializers.CharField(max_length=12), min_length=1, max_length=10)
    territory = serializers.ListField(child=serializers.CharField(max_length=2), required=False, max_length=300)
    effective_from = serializers.DateTimeField(required=False, allow_null=True)
    evidence = serializers.CharField(max_length=20_000, required=False, allow_blank=True)
    evidence_url = serializers.URLField(max_length=2048, required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        targets = [name for name in ("work_ref", "identifier", "place") if name in attrs]
        if len(targets) > 1 or not (targets or "holder_ref" in attrs):
            raise serializers.ValidationError(_("Give one of work_ref, identifier, place; or holder_ref alone."))
        return attrs


class RejectSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=40, required=False)
    detail = serializers.CharField(max_length=2000)


_FILTERS = [
    OpenApiParameter(
        "identifier", OpenApiTypes.STR, description="`isbn:9780306406157`: of it, or of a work that has it."
    ),
    OpenApiParameter("place", OpenApiTypes.STR, description="A web location: of it, or of a place that it lies in."),
    OpenApiParameter("work", OpenApiTypes.STR, description="The reference of a work in its society."),
    OpenApiParameter("use", OpenApiTypes.STR, enum=list(terms.USES)),
    OpenApiParameter("status", OpenApiTypes.STR, enum=_SEEN),
    OpenApiParameter("society", OpenApiTypes.STR, description="Only those received by this society."),
]


@extend_schema(tags=["reservations"])
class ReservationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """The register of opt-outs. Whether one reserves a certain use of a certain work, `POST /permissions/check/` answers."""

    queryset = Reservation.objects.select_related("society", "work", "holder")
    serializer_class = ReservationSerializer
    ordering = ("-id",)
    lookup_field = "ref"
    lookup_value_regex = "[0-9A-Za-z-]{1,40}"
    required_permission = {
        "GET": ANYONE, "create": SIGNED_IN, "withdraw": SIGNED_IN,
        "accept": "reservations.manage", "reject": "reservations.manage",
    }  # fmt: skip

    def get_queryset(self) -> Any:
        found: Any = self.queryset.public()
        asked = self.request.query_params
        if society := asked.get("society"):
            found = found.filter(society__ref=society)
        if status := asked.get("status"):
            found = found.filter(status=status)
        if use := asked.get("use"):
            found = found.filter(uses__overlap=[use, terms.ANY])
        if work := asked.get("work"):
            found = found.filter(work__ref=work)
        if identifier := asked.get("identifier"):
            found = found.filter(_named(identifier))
        if place := asked.get("place"):
            found = found.filter(place__in=_around(place))
        return found

    def get_object(self) -> Any:
        return reservations.by_ref(self.kwargs["ref"])

    @extend_schema(parameters=_FILTERS)
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().list(request, *args, **kwargs)

    @extend_schema(request=ReservationCreate, responses={201: ReservationSerializer})
    def create(self, request: Request) -> Response:
        """Reserve uses, from now or a later moment. The same again gives the reservation that stands.

        Needs `reservations.make` (a member, about what is theirs) or `reservations.manage` (the society).
        """
        data = self.checked(ReservationCreate)
        holder = _holder(self.actor, data.pop("holder_ref", None))
        society = holder.society if holder else Organisation.objects.of(self.actor)
        made = reservations.reserve(
            actor=self.actor,
            society=society,
            target=_target(society, data, holder),
            claimant=Claimant(holder),
            source=Reservation.Source.API,
            **data,
        )
        return Response(self.shown(made), status=201, headers={"Location": f"/api/v1/reservations/{made.ref}/"})

    @extend_schema(request=None, responses=ReservationSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, ref: str) -> Response:
        """Whoever made it, or its society, takes it back: from now on it reserves nothing."""
        return self._shown(reservations.withdraw(actor=self.actor, reservation=self.get_object()))

    @extend_schema(request=None, responses=ReservationSerializer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, ref: str) -> Response:
        """The society has checked who asked."""
        return self._shown(reservations.accept(actor=self.actor, reservation=self.get_object()))

    @extend_schema(request=RejectSerializer, responses=ReservationSerializer)
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, ref: str) -> Response:
        """The society found that it cannot stand; who asked reads why."""
        reason = {"code": "other"} | self.checked(RejectSerializer)
        return self._shown(reservations.reject(actor=self.actor, reservation=self.get_object(), reasons=[reason]))

    def _shown(self, reservation: Reservation) -> Response:
        return Response(self.shown(reservation))


def _holder(actor: Actor, ref: str | None) -> Holder | None:
    """The member for whom it is; none where the society itself reserves."""
    known = Holder.objects.visible_to(actor).select_related("society")
    if ref is None and (actor.is_society or not actor.holder_ids):
        return None
    found = list(known.filter(ref=ref).order_by("pk")[:2] if ref is not None else known.order_by("pk")[:2])
    if len(found) != 1:
        raise Refusal("holder_needed", _("Say for which member it is: holder_ref."), pointer="/holder_ref")
    return found[0]


def _target(society: Organisation, data: dict[str, Any], holder: Holder | None) -> Target:
    """What is to be reserved, taken out of the body."""
    if (ref := data.pop("work_ref", None)) is not None:
        work = Work.objects.filter(society=society, ref=ref).first()
        if work is None:
            raise Refusal("unknown_work", _("There is no such work."), pointer="/work_ref")
        return Target.work(work)
    if (place := data.pop("place", None)) is not None:
        return Target.identifier("url", place)
    if (identifier := data.pop("identifier", None)) is not None:
        return Target.identifier(*_split(identifier))
    assert holder is not None  # validated: else `holder_ref` is given
    return Target.of_holder(holder)


def _split(identifier: str) -> tuple[str, str]:
    try:
        return split(identifier)
    except BadIdentifier as bad:
        raise Refusal("bad_identifier", _(bad.reason), pointer="/identifier") from bad


def _named(identifier: str) -> Q:
    """Of this identifier, of a work that has it in the same society, or of where it lies."""
    scheme, text = _split(identifier)
    try:
        value = normalise(scheme, text)
    except BadIdentifier as bad:
        raise Refusal("bad_identifier", _(bad.reason), pointer="/identifier") from bad
    by_work = Q(work__in=Work.objects.named(scheme, value))
    if scheme in ("url", "domain"):
        return by_work | Q(place__in=list(places.ancestors(value)))
    return by_work | Q(scheme=scheme, value=value)


def _around(text: str) -> list[str]:
    try:
        place, _pattern = places.place_of(text)
    except BadIdentifier as bad:
        raise Refusal("bad_identifier", _(bad.reason), pointer="/place") from bad
    return list(places.ancestors(place))
