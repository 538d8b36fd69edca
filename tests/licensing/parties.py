"""The parties of a licence, and actors who work for them."""

from __future__ import annotations

import datetime
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange

from accounts.identity.core import SYSTEM, Actor
from accounts.organisations.models import Organisation
from licensing.declarations.models import Declaration
from licensing.licences import services as licences
from licensing.licences.models import Licence
from licensing.tariffs import services as tariffs
from licensing.tariffs.models import TariffVersion
from tests.licensing.tariff_documents import tariff


def organisation(ref: str, kind: str) -> Organisation:
    return Organisation.objects.create(ref=ref, kind=kind, name=ref.title())


def staff(of: Organisation, *permissions: str) -> Actor:
    return Actor(
        kind="user", id=1, label="someone", user_id=1, organisation_id=of.pk, organisation_kind=of.kind,
        permissions=frozenset(permissions),
    )  # fmt: skip


def determined(society: Organisation, document: dict[str, Any] | None = None) -> TariffVersion:
    """A version in force, by a rate body of its own."""
    body = Organisation.objects.filter(kind="rate_body").first() or organisation("COPYRIGHT-COMMISSION", "rate_body")
    return tariffs.import_tariff(
        actor=SYSTEM, society=society, document=document or tariff(), determined_by=body
    ).version


def licence(society: Organisation, licensee: Organisation, version: TariffVersion, **terms: Any) -> Licence:
    wanted: dict[str, Any] = {"ref": "L-1", "uses": ["*"], "valid_from": datetime.date(2026, 1, 1)} | terms
    return licences.create_licence(actor=SYSTEM, society=society, licensee=licensee, tariff=version.tariff, **wanted)


def declaration(of: Licence, start: str = "2026-01-01", end: str = "2026-04-01", **fields: Any) -> Declaration:
    period = DateRange(datetime.date.fromisoformat(start), datetime.date.fromisoformat(end))
    return Declaration.objects.create(licence=of, period=period, status=fields.pop("status", "accepted"), **fields)
