"""The demo's chapter on claims: what matched nothing is public, a publisher claims the largest of it, and the next run pays."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from accounts.organisations.models import Organisation
from config.actors import actor_by_email
from config.demo.repertoire import write_csv
from licensing.claims import services as claims
from licensing.claims.models import Claim, Unmatched
from licensing.repertoire.models import Holder, Work
from royalties.distribution.models import Run

Manage = Callable[..., dict[str, Any]]
WORK = "W-CLAIMED"
STATEMENT = "We publish this site. The imprint of the site names our firm; a copy of it is attached."


def tell(
    manage: Manage, folder: Path, *, society: str, holder: str, creator: str, period: tuple[str, str]
) -> dict[str, Any]:
    """The claim is made, accepted and paid out of suspense; told twice, nothing changes. Returns what the summary says."""
    of = Organisation.objects.get(ref=society)
    claims.refresh_items(of)
    claim = Claim.objects.filter(item__society=of).first() or _claimed(of, holder, creator)
    if claim.status == Claim.Status.OPEN:
        claim = _accepted(manage, folder, of, claim)
    run = Run.objects.filter(society=of, status=Run.Status.PUBLISHED, released__gt=0).first()
    if run is None:
        two = ("--as", f"distribution@{society}.example", "--approve-as", f"second@{society}.example")
        paid = manage("distribute", "--society", society, "--from", period[0], "--to", period[1], *two, "--publish")
        run = Run.objects.get(pk=paid["run"])
    return {
        "items": Unmatched.objects.filter(society=of).count(),
        "title": claim.item.value,
        "claim": claim.ref,
        "holder": holder,
        "run": run.pk,
        "released": run.released,
        "payable": run.payable,
        "held": run.held,
        "suspense": run.suspense,
    }


def _claimed(society: Organisation, holder: str, creator: str) -> Claim:
    """The publisher finds the largest item in public, and says that it is theirs."""
    largest = Unmatched.objects.filter(society=society, status=Unmatched.Status.OPEN).order_by("-worth", "id")[0]
    return claims.claim(
        actor=actor_by_email(creator), holder=Holder.objects.get(society=society, ref=holder), item=largest,
        statement=STATEMENT, evidence=io.BytesIO(b"Imprint: published by the claimant."), name="imprint.txt",
    )  # fmt: skip


def _accepted(manage: Manage, folder: Path, society: Organisation, claim: Claim) -> Claim:
    """The society puts the site on record as their work and accepts."""
    assert claim.holder is not None
    work = write_csv(folder / "claimed-work.csv", ("work_ref", "kind", "title"), [(WORK, "web", claim.item.value)])
    share = (WORK, claim.holder.ref, "publisher", "100%")
    shares = write_csv(folder / "claimed-share.csv", ("work_ref", "holder_ref", "role", "share"), [share])
    manage("import_works", str(work), "--society", society.ref)
    manage("import_shares", str(shares), "--society", society.ref)
    [decided] = claims.decide_claims(
        actor=actor_by_email(f"admin@{society.ref}.example"), item=claim.item, seen={claim.pk}, accepted=claim,
        work=Work.objects.get(society=society, ref=WORK), reasons={claim.pk: "The imprint shows it."},
    )  # fmt: skip
    return decided


def lines(told: dict[str, Any], money: Callable[[int], str]) -> Iterator[str]:
    """What the summary says of it."""
    yield ""
    yield f"Unmatched, and public at /unmatched/: {told['items']:,} sites"
    yield f"  {told['holder']} claimed {told['title']} ({told['claim']}), and the society accepted"
    parts = [told["payable"], told["held"], told["suspense"]]
    verdict = "holds to the won" if sum(parts) == told["released"] else "DOES NOT HOLD"
    yield (
        f"  run {told['run']} paid its original amount out of suspense: {money(told['released'])} = "
        f"{' + '.join(map(money, parts))}: {verdict}"
    )
