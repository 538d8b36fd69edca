"""Self-service told in the small: terms that are written anew, what stands ready and what is prepared, and a price that is due."""

from __future__ import annotations

import datetime

from django.utils import timezone

from accounts.identity.core import SYSTEM
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from licensing.licences import terms
from licensing.licences.models import StandingOffer
from licensing.licences.services import certificates, create_licence, documents, standing
from licensing.licences.services import terms as standard_terms
from licensing.tariffs.services import import_tariff
from tests.journeys.example import FIRM, RATES, SOCIETY
from tests.licensing.tariff_documents import charge, tariff


def tell(*, society: str, second: str) -> None:
    """`second` prepared both, `society` signed one."""
    ours, theirs = (User.objects.get(email=email).pk for email in (society, second))
    of, body = (Organisation.objects.get(ref=ref) for ref in (SOCIETY, RATES))
    small = charge("flat", "small firms", amount="300000", licensee_tiers=["small"])
    document = tariff(
        small, tariff="SMALL", name="Small firms", period_months=12, self_service={"tiers": ["small"], "months": 12}
    )
    priced = import_tariff(actor=SYSTEM, society=of, document=document, determined_by=body).version.tariff
    published, _new = standard_terms.import_terms(actor=SYSTEM, society=of, document=terms.shipped(), published=True)
    later = terms.shipped()
    later["conditions"]["retention_days"] = 180
    standard_terms.draft(actor=SYSTEM, society=of, document=later)
    opened, _waiting = (
        StandingOffer.objects.create(
            ref=ref, society=of, tariff=priced, terms=published, name="Small firms", name_ko="작은 회사", uses=["train"],
            kinds=["*"], territory=["*"], months=12, conditions=published.conditions, prepared_by_id=theirs,
        )
        for ref in ("S-TOLD-TOLD-OPEN", "S-TOLD-TOLD-WAIT")
    )  # fmt: skip
    digest = documents.digest(standing.document_of(opened))
    StandingOffer.objects.filter(pk=opened.pk).update(
        status="open", signed_by_id=ours, signed_at=timezone.now() - datetime.timedelta(days=1), typed_name="Han Seo",
        capacity="chair", document_sha256=digest,
    )  # fmt: skip
    taken = create_licence(
        actor=SYSTEM, ref="SMALL-TOLD", society=of, licensee=Organisation.objects.get(ref=FIRM), tariff=priced, tier="small",
        uses=["train"], valid_from=timezone.localdate(),
    )  # fmt: skip
    certificates.issue(licence=taken)
