"""What waits, as told beside the main job: terms in force, a search with an attempt, a public list, and a conflict over shares."""

from __future__ import annotations

from typing import Any, Final

from django.utils import timezone

from accounts.identity.models import User
from accounts.organisations.models import Organisation
from config.actors import actor_of_user
from licensing.disputes import services as disputes
from licensing.disputes.models import Dispute
from licensing.repertoire.models import Holder
from licensing.repertoire.services import ShareLine, save_work, set_shares
from royalties.outstanding import services

TERMS: Final[dict[str, Any]] = {
    "terms": "TRUST", "version": 1, "valid_from": "2026-01-01", "valid_to": None, "jurisdiction": "KR", "year_end_month": 12,
    "rules": [{"name": "UNKNOWN", "reasons": ["*"], "starts_from": "notice", "steps": {"expire": 60}}],
}  # fmt: skip


def tell(*, society: str, second: str, member: str) -> None:
    own = Organisation.objects.get(kind="society", ref="KOREA-WEB")
    one, other = (actor_of_user(User.objects.get(email=email), own.pk) for email in (society, second))
    conflict(own, one, member)
    terms = services.import_terms(actor=one, society=own, document=TERMS)
    services.ask_terms(actor=one, terms=terms)
    services.decide_terms(actor=other, terms=terms, approve=True)
    today = timezone.localdate()
    search = services.begin_tracing(
        actor=one, society=own, title="Authors of the nineties", plan="Ask publishers.", begun_on=today, until=today
    )
    holder = Holder.objects.filter(society=own).order_by("ref")[0]
    services.log_attempt(
        actor=one, society=own, about=holder.ref, channel="letter", result="no_answer", made_on=today, tracing=search
    )
    services.publish_notice(actor=one, society=own)


def conflict(own: Organisation, one: Any, member: str) -> None:
    """The member and a fellow claim more than the whole of a work that nobody has declared; the fellow's split waits."""
    claimant = actor_of_user(User.objects.get(email=member))
    mine = Holder.objects.get(pk__in=claimant.holder_ids)
    fellow = Holder.objects.filter(society=own).exclude(pk=mine.pk).order_by("ref")[0]
    work = save_work(actor=one, society=own, ref="TWICE", kind="book", title="Twice told")
    set_shares(actor=one, work=work, lines=[ShareLine(mine.ref, "60%"), ShareLine(fellow.ref, "60%")])
    disputes.find_overclaimed(own)
    dispute = Dispute.objects.get(work=work)
    disputes.propose(actor=one, dispute=dispute, shares={(mine.pk, ""): "1/2", (fellow.pk, ""): "1/2"})
