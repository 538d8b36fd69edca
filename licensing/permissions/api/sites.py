"""Sites over the API: put one on record, have it read, and see what its signals say."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.api.views import ApiViewSet
from accounts.identity.core import Refusal
from licensing.permissions import tasks
from licensing.permissions.models import FoundSignal, Site
from licensing.permissions.services import found, sites
from licensing.permissions.services.fetching import PROOF_FILE, PROOF_META
from licensing.repertoire.models import Holder


class ReadingProblemSerializer(serializers.Serializer[Any]):
    """What one reading met; `times`: in how many readings in a row."""

    url = serializers.CharField()
    code = serializers.CharField()
    source = serializers.CharField(required=False)  # type: ignore[assignment]  # a field's own attribute in DRF
    times = serializers.IntegerField()


class SiteSerializer(serializers.ModelSerializer[Site]):
    """A host of a member. Its signals count once `proved_at` is set: put `token` into `proof_file`, or on the first page."""

    holder_ref = serializers.CharField(source="holder.ref")
    proof_file = serializers.SerializerMethodField()
    proof_meta = serializers.SerializerMethodField()
    problems = ReadingProblemSerializer(many=True)

    class Meta:
        model = Site
        fields = [
            "id", "host", "holder_ref", "token", "proof_file", "proof_meta", "proof", "proved_at", "fetched_at",
            "next_fetch_at", "problems", "created_at",
        ]  # fmt: skip

    def get_proof_file(self, site: Site) -> str:
        return f"https://{site.host}{PROOF_FILE}"

    def get_proof_meta(self, site: Site) -> str:
        return f'<meta name="{PROOF_META}" content="{site.token}">'


class SiteCreate(serializers.Serializer[Any]):
    """`holder_ref` may be left out by a creator who acts for one member alone."""

    host = serializers.CharField(max_length=300)
    holder_ref = serializers.CharField(max_length=64, required=False)


class SignalStatementSerializer(serializers.Serializer[Any]):
    """What is said about the paths that `location` matches; `allowed` only says that this signal does not reserve."""

    location = serializers.CharField(allow_blank=True)
    reserved = serializers.ListField(child=serializers.CharField())
    allowed = serializers.ListField(child=serializers.CharField())
    policy = serializers.CharField(allow_blank=True)
    territory = serializers.ListField(child=serializers.CharField())


class SignalSerializer(serializers.ModelSerializer[FoundSignal]):
    """One version of a signal. Of its statements the first that matches a path speaks. `ended_at`: replaced, or gone."""

    statements = SignalStatementSerializer(many=True)
    problems = serializers.ListField(child=serializers.CharField())
    text = serializers.SerializerMethodField()

    class Meta:
        model = FoundSignal
        fields = [
            "id", "source", "vocabulary", "url", "sha256", "text", "statements", "problems", "found_at", "seen_at",
            "ended_at",
        ]  # fmt: skip

    def get_text(self, signal: FoundSignal) -> str:
        """Its first 20,000 bytes as text."""
        return found.shown(signal)


@extend_schema(tags=["sites"])
class SiteViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Hosts whose machine-readable signals are read every day."""

    queryset = Site.objects.select_related("holder")
    serializer_class = SiteSerializer
    ordering = ("-id",)
    required_permission = "sites.manage"

    @extend_schema(request=SiteCreate, responses={201: SiteSerializer})
    def create(self, request: Request) -> Response:
        """The same host of the same member again gives the site that is on record."""
        data = self.checked(SiteCreate)
        site = sites.register(actor=self.actor, holder=self._holder(data.get("holder_ref")), host=data["host"])
        transaction.on_commit(lambda: tasks.send(tasks.read_site, site.pk))
        return Response(self.shown(site), status=201, headers={"Location": f"/api/v1/sites/{site.pk}/"})

    def _holder(self, ref: str | None) -> Holder:
        known = Holder.objects.visible_to(self.actor)
        if ref is not None:
            known = known.filter(ref=ref)
        found = list(known.order_by("pk")[:2])
        if ref is None and (len(found) != 1 or self.actor.is_society):
            raise Refusal("holder_needed", _("Say whose site it is: holder_ref."), pointer="/holder_ref")
        if len(found) != 1:
            raise Refusal("unknown_holder", _("You have no member with this reference."), pointer="/holder_ref")
        return found[0]

    @extend_schema(request=None, responses={202: SiteSerializer})
    @action(detail=True, methods=["post"])
    def read(self, request: Request, pk: str) -> Response:
        """Read it now; not twice within a minute (409)."""
        site = sites.ask_to_read(actor=self.actor, site=self.get_object())
        transaction.on_commit(lambda: tasks.send(tasks.read_site, site.pk))
        return Response(self.shown(site), status=202)

    @extend_schema(responses={200: SignalSerializer(many=True), 404: OpenApiResponse()})
    @action(detail=True, methods=["get"])
    def signals(self, request: Request, pk: str) -> Response:
        """Every version of every signal that was found on it, the newest first."""
        versions = FoundSignal.objects.filter(site=self.get_object())
        page = self.paginate_queryset(versions)
        return self.get_paginated_response(SignalSerializer(page, many=True).data)
