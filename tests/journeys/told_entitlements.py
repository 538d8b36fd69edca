"""Rights of others told in the small: one in force, one that waits, an advance, and a sister society with a statement to it."""

from __future__ import annotations

import datetime
import io
from decimal import Decimal

from django.utils import timezone

from accounts.access.models import Membership
from accounts.access.services import create_organisation
from accounts.identity.core import SYSTEM
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from config.actors import actor_of_user
from licensing.intake.models import StoredFile
from licensing.intake.services import keep
from licensing.repertoire.models import Holder
from royalties.entitlements import services
from royalties.ledger.models import Account
from royalties.payees.models import Payee
from tests.journeys.example import MEMBER_REF, SOCIETY


def tell(*, society: str) -> None:
    """`society` records, a treasurer of its own approves."""
    of = Organisation.objects.get(ref=SOCIETY)
    user = User.objects.create_user("treasurer@korea-web.example", "pw", name="Treasurer")
    Membership.objects.create(user=user, organisation=of, role="finance")
    first, second = actor_of_user(User.objects.get(email=society), of.pk), actor_of_user(user, of.pk)
    member = Holder.objects.get(society=of, ref=MEMBER_REF)
    owed = Account.objects.filter(society=of, kind="payable").exclude(owner_id=member.pk).order_by("id")[0]
    abroad = Holder.objects.get(pk=owed.owner_id)
    since, today = datetime.date(2026, 1, 1), timezone.localdate()
    recorded = {"actor": first, "society": of}

    heir = Holder.objects.create(society=of, ref="HEIR-1", name="Park Heir", name_ko="박상속")
    asked = services.request_entitlement(
        holder=member, kind="assignment", to_holder=heir, ppm=100_000, valid_from=today, basis="Contract", document=_paper(of),
        **recorded,
    )  # fmt: skip
    services.decide_entitlement(actor=second, entitlement=asked)
    services.request_entitlement(
        holder=heir, kind="garnishment", to_payee=Payee.objects.create(society=of, name="Seoul court"), ppm=500_000,
        ceiling=300_000, currency="KRW", valid_from=today, basis="Order 2026-1", document=_paper(of), **recorded,
    )  # fmt: skip
    ahead = {"currency": "KRW", "amount": 1_000_000, "ppm": 500_000, "reason": "A new novel"}
    granted = services.request_advance(holder=member, **ahead, **recorded)
    services.decide_advance(actor=second, advance=granted)

    sister = create_organisation(actor=SYSTEM, ref="FRANCE-TEXT", kind="society", name="France Text")
    agreement = services.request_agreement(
        sister=sister, uses=["*"], territory=["FR", "BE"], deductions=[("administration", Decimal(15))], valid_from=since,
        document=_paper(of), **recorded,
    )  # fmt: skip
    services.decide_agreement(actor=second, agreement=agreement)
    table = io.BytesIO(f"holder_ref,their_ref\n{abroad.ref},FT-77\n".encode())
    stored = keep(actor=SYSTEM, stream=table, name="members.csv", organisation=of)
    services.import_sister_members(sister=sister, stored=stored, **recorded)
    services.transfer(currency=owed.currency, on=today, key="told", **recorded)


def _paper(of: Organisation) -> StoredFile:
    stream = io.BytesIO(b"%PDF-1.7 as it was received")
    return keep(actor=SYSTEM, stream=stream, name="paper.pdf", organisation=of)
