"""What the main job's declarations leave unmatched: the queue, a decision, and a member's claim with evidence."""

from __future__ import annotations

from io import BytesIO

from accounts.identity.models import User
from config.actors import actor_of_user
from licensing.claims import services
from licensing.claims.models import Unmatched
from licensing.repertoire.models import Holder


def tell(*, society: str, member: str) -> None:
    """One item is claimed, one decided; one waits."""
    staff, claimant = (actor_of_user(User.objects.get(email=email)) for email in (society, member))
    holder = Holder.objects.get(pk__in=claimant.holder_ids)
    services.refresh_items(holder.society)
    [declared] = Unmatched.objects.filter(society=holder.society)
    named = {"society": holder.society, "kind": "book", "creators": "Seo Yun", "lines": 1, "units": {"token": 7}}
    waiting, foreign = (
        Unmatched.objects.create(scheme="isbn", value=value, title=title, **named)
        for value, title in (("9788936434267", "Azaleas in the hills"), ("9780306406157", "Ions"))
    )
    services.seek_candidates(holder.society)
    proof = BytesIO(b"%PDF-1.7")
    services.claim(
        actor=claimant, holder=holder, item=declared, statement="It is mine.", evidence=proof, name="proof.pdf"
    )
    services.decide(actor=staff, item=foreign, work=None, reason="Not of our members.")
    assert waiting.status == "open"
