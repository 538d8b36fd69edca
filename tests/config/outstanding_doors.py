"""What waits in the world of the doors: a conflict with its papers, terms, a search, a list and a resolution."""

from __future__ import annotations

import datetime
import io

from django.db.backends.postgresql.psycopg_any import DateRange

from accounts.identity.core import SYSTEM
from licensing.disputes.models import Dispute, DisputeParty
from licensing.intake.services import keep
from licensing.repertoire.models import Holder, Share
from royalties.outstanding.models import ClockTerms, PublicNotice, Resolution, Tracing
from tests.royalties.world import World

DAY, NEXT = datetime.date(2026, 6, 1), datetime.date(2026, 7, 1)


def of_what_waits(world: World, holder: Holder) -> dict[str, int]:
    """Parameters of the pages about it, by name."""
    own, share = world.society, Share.objects.filter(holder=holder).order_by("pk")[0]
    paper = keep(actor=SYSTEM, stream=io.BytesIO(b"%PDF-3"), name="judgment.pdf", organisation=own)
    claims = [{"holder": holder.pk, "role": share.role, "ppm": share.ppm}]
    dispute = Dispute.objects.create(
        society=own, work=share.work, kind="share", holder=holder, role=share.role, days=share.valid, claimed=share.ppm, claims=claims,
        opened_on=DAY, due_on=NEXT, document=paper,
    )  # fmt: skip
    party = DisputeParty.objects.create(dispute=dispute, holder=holder, evidence=paper)
    terms = ClockTerms.objects.create(
        society=own,
        name="T",
        version=1,
        document={},
        sha256="0" * 64,
        jurisdiction="KR",
        year_end_month=12,
        valid=DateRange(DAY, None),
    )
    search = Tracing.objects.create(society=own, title="S", begun_on=DAY, until=NEXT)
    notice = PublicNotice.objects.create(
        society=own, number=1, published_on=DAY, published_by="x", entries=0, sha256="0" * 64
    )
    resolution = Resolution.objects.create(
        society=own, currency="KRW", text="T", ground="G", document=paper, expired_by=DAY, allocations=1, amount=1, sha256="0" * 64,
        requested_by="x",
    )  # fmt: skip
    return {
        "share_id": share.pk, "dispute_id": dispute.pk, "party_id": party.pk, "clock_terms_id": terms.pk, "tracing_id": search.pk,
        "public_notice_id": notice.pk, "resolution_id": resolution.pk,
    }  # fmt: skip
