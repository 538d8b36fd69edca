"""A society and a firm with people in every role, a tariff in force and standard terms: what a licence's life needs."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.utils import timezone

from accounts.access.core import permissions_of
from accounts.access.models import Membership
from accounts.identity.core import Actor
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from licensing.licences import services
from licensing.licences.conditions import Conditions
from licensing.licences.models import Licence, LicenceRequest, Offer, Quote, Signature, StandardTerms
from licensing.tariffs.models import Tariff
from tests.licensing.parties import determined, organisation
from tests.licensing.tariff_documents import charge, tariff

DAY = datetime.timedelta(days=1)
TOKENS = [{"use": "train", "kind": "web", "unit": "token", "units": 5_000_000, "works": 0}]
SMALL, LARGE = ["small"], ["large"]


def person(of: Organisation, role: str, **fields: Any) -> Actor:
    """Somebody who works there in this role, with what the role may do."""
    number = User.objects.count()
    user = User.objects.create_user(f"{role}{number}@{of.ref.lower()}.example", **fields)
    Membership.objects.create(user=user, organisation=of, role=role)
    return Actor(
        kind="user", id=user.pk, label=role, user_id=user.pk, organisation_id=of.pk, organisation_kind=of.kind,
        roles=frozenset([role]), permissions=permissions_of(of.kind, [role]),
    )  # fmt: skip


def on(day: datetime.date, patch: pytest.MonkeyPatch) -> None:
    """From now on it is noon of this day in Seoul."""
    noon = datetime.datetime.combine(day, datetime.time(3), datetime.UTC)
    patch.setattr(timezone, "now", lambda: noon)


def code_of(refused: pytest.ExceptionInfo[Any]) -> str:
    return str(getattr(refused.value, "code", ""))


def rates(**keys: Any) -> dict[str, Any]:
    """₩2 for a thousand tokens of training, ₩1 for small firms."""
    return tariff(
        charge("per_unit", "large", uses=["train"], per=1000, price="2", licensee_tiers=LARGE),
        charge("per_unit", "small", uses=["train"], per=1000, price="1", licensee_tiers=SMALL),
        **keys,
    )


@dataclass
class World:
    """`clerk` makes offers and `signer` signs them for the society; `director` asks and signs for the firm."""

    today: datetime.date = field(default_factory=timezone.localdate)

    def __post_init__(self) -> None:
        self.society = organisation("WEB-SOCIETY", "society")
        self.firm = organisation("HANBIT-AI", "licensee")
        self.tariff: Tariff = determined(self.society, rates()).tariff
        self.terms = StandardTerms.objects.create(
            society=self.society, ref="GENERAL", version=1, name="General terms", name_ko="표준 약관",
            clauses=[{
                "heading": {"en": "Copies", "ko": "사본"},
                "text": {"en": "Copies are kept for {retention_days}.", "ko": "사본은 {retention_days} 동안 보관한다."},
            }],
            conditions=Conditions().as_data(), sha256="0" * 64, status="published", published_at=timezone.now(),
        )  # fmt: skip
        self.clerk = person(self.society, "licensing", language="ko")
        self.signer = person(self.society, "administrator")
        self.director = person(self.firm, "administrator")
        self.declarant = person(self.firm, "declarant")

    def ask(self, **asked: Any) -> LicenceRequest:
        """A draft for a year of training, from tomorrow on."""
        wanted: dict[str, Any] = {
            "society": self.society, "tariff": self.tariff, "uses": ["train"], "kinds": ["web"], "territory": ["KR"],
            "term_from": self.today + DAY, "term_to": self.today + 365 * DAY, "tier": "large",
            "tier_evidence": "800 employees", "quantities": TOKENS,
        }  # fmt: skip
        return services.ask(actor=self.director, **(wanted | asked))

    def submitted(self, **asked: Any) -> LicenceRequest:
        return services.submit(actor=self.director, request=self.ask(**asked))

    def quoted(self, request: LicenceRequest | None = None, days: int = 30, **keys: Any) -> Quote:
        request = request or self.submitted()
        return services.quote(actor=self.clerk, request=request, valid_to=self.today + days * DAY, **keys)

    def offered(self, quote: Quote | None = None, days: int = 1, **keys: Any) -> Offer:
        quote = quote or self.quoted()
        wanted: dict[str, Any] = {"terms": self.terms, "valid_to": self.today + days * DAY} | keys
        return services.offer(actor=self.clerk, request=quote.request, quote=quote, **wanted)

    def sign(self, actor: Actor, offer: Offer, **keys: Any) -> Signature:
        wanted: dict[str, Any] = {"typed_name": "김하늘", "capacity": "director", "sha256": offer.sha256} | keys
        return services.sign(actor=actor, offer=offer, **wanted)

    def signed(self, offer: Offer | None = None) -> Licence:
        offer = offer or self.offered()
        self.sign(self.director, offer)
        self.sign(self.signer, offer)
        return Licence.objects.get(offer=offer)
