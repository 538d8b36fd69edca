"""The bank over the API: a society's program brings statements and reads entries."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.api.views import ApiViewSet
from accounts.identity.core import Conflict, NotFound, Refusal
from royalties.bank import services
from royalties.bank.models import BankAccount, Entry, StatementImport

_UPLOAD = {
    "multipart/form-data": {
        "type": "object",
        "properties": {
            "account": {"type": "integer"},
            "file": {"type": "string", "format": "binary"},
            "opening": {"type": "integer"},
            "closing": {"type": "integer"},
            "despite": {"type": "string"},
        },
        "required": ["account", "file"],
    }
}


class StatementCreate(serializers.Serializer[Any]):
    """A file for an account. Balances (minor units) only for a CSV without; `despite`: why it does not follow the last one."""

    account = serializers.IntegerField(min_value=1, max_value=2**63 - 1)
    file = serializers.FileField()
    opening = serializers.IntegerField(required=False, min_value=-(10**15), max_value=10**15)
    closing = serializers.IntegerField(required=False, min_value=-(10**15), max_value=10**15)
    despite = serializers.CharField(required=False, max_length=300)


class StatementImportSerializer(serializers.ModelSerializer[StatementImport]):
    """`done` or `unchanged`: the file was imported, or its statements were there. `entries`: how many are new."""

    entries = serializers.IntegerField(source="entry_count")
    sha256 = serializers.CharField(source="file.sha256")

    class Meta:
        model = StatementImport
        fields = ["id", "account", "status", "entries", "detail", "sha256"]


class EntrySerializer(serializers.ModelSerializer[Entry]):
    """One entry of a statement, in minor units: `sign` 1 came in, -1 went out; `applied` of it is explained."""

    class Meta:
        model = Entry
        fields = [
            "id", "account", "sign", "amount", "currency", "booked_on", "value_on", "bank_ref", "end_to_end_id", "reference",
            "counterparty", "counterparty_account", "purpose", "applied", "status",
        ]  # fmt: skip


@extend_schema(tags=["bank"])
class BankStatementViewSet(ApiViewSet):
    """Files of a society's banks."""

    queryset = BankAccount.objects.all()
    serializer_class = StatementImportSerializer
    required_permission = "billing.manage"
    parser_classes = [MultiPartParser]

    @extend_schema(request=_UPLOAD, responses={201: StatementImportSerializer})
    def create(self, request: Request) -> Response:
        """Import a bank statement: camt.053, or the bank's CSV. The same again changes nothing; a refused one leaves nothing."""
        data = self.checked(StatementCreate)
        account = BankAccount.objects.visible_to(self.actor).filter(pk=data.pop("account")).first()
        if account is None:
            raise NotFound(_("There is no such bank account."), pointer="/account")
        sent = data.pop("file")
        made = services.import_statement(
            actor=self.actor, account=account, stream=sent, name=sent.name or "file", **data
        )
        if made.status == StatementImport.Status.ASKS:
            raise Conflict(made.code, made.detail, pointer="/despite")
        if made.status == StatementImport.Status.REFUSED:
            rows = [
                {"row": each["row"], "code": made.code, "detail": str(each["reason"])} for each in made.problems[:100]
            ]
            raise Refusal(made.code, made.detail, errors=rows)
        return Response(self.shown(made), status=201)


@extend_schema(tags=["bank"])
class BankEntryViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """The entries of a society's bank statements, newest first."""

    queryset = Entry.objects.all()
    serializer_class = EntrySerializer
    ordering = ("-id",)
    required_permission = "billing.view"

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        status = self.request.query_params.get("status")
        return found.filter(status=status) if status in Entry.Status.values else found

    @extend_schema(
        parameters=[
            OpenApiParameter("status", OpenApiTypes.STR, enum=list(Entry.Status.values), description="only these")
        ]
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)
