"""Permission told in the small: reservations in each state, a site, a webhook, a file asked about, cases in several states."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.utils import timezone

from accounts.identity.core import SYSTEM
from accounts.identity.models import User
from accounts.notices.services.webhooks import create_webhook, ping
from accounts.organisations.models import Organisation
from config.actors import actor_of_user
from licensing.compliance import services as compliance
from licensing.compliance.models import Case
from licensing.permissions.models import FoundSignal
from licensing.permissions.services import found, reservations, sites
from licensing.permissions.services.targets import Claimant, Target
from licensing.repertoire.models import Holder
from licensing.signals import robots
from tests.journeys.example import FIRM, LICENCE, MEMBER_REF, SOCIETY

Manage = Callable[..., dict[str, Any]]
HOST: Final = "friends.example.org"
# Nothing licenses evaluation: these lines open cases.
USED = "identifier_type,identifier,units,use\n" + "".join(
    f"domain,{host},{units},evaluate\n" for host, units in ((HOST, 1000), ("chaek.example.net", 500))
)
ASKED = "identifier_type,identifier\ndomain,friends.example.org\ndomain,unknown.example.edu\nisbn,1\n"
SCHEME: Final = {
    "scheme": "LESSONS", "name": "Copies for lessons", "source": "a law", "uses": ["train"], "kinds": ["image"],
    "territory": ["KR"], "valid_from": "2026-01-01", "valid_to": None,
}  # fmt: skip


def tell(manage: Manage, folder: Path, *, firm: str, society: str) -> None:
    """Everything; `firm` and `society` are the addresses of their administrators."""
    files = {name: folder / name for name in ("evaluated.csv", "asked.csv", "scheme.json")}
    for path, text in zip(files.values(), (USED, ASKED, json.dumps(SCHEME)), strict=True):
        path.write_text(text, encoding="utf-8")
    manage("import_scheme", files["scheme.json"], "--society", SOCIETY)
    direct = ("--holder", "H-C", "--licensee", FIRM, "--uses", "index")
    manage("grant_direct_licence", "--society", SOCIETY, *direct, "--from", "2026-01-01")
    for email in (firm, society):
        webhook, _secret = create_webhook(
            actor=actor_of_user(User.objects.get(email=email)),
            url="https://hooks.example.org/in",
            events=["case.opened"],
        )
        ping(actor=SYSTEM, webhook=webhook)
    _reserve()
    manage("check_permissions", files["asked.csv"], "--organisation", FIRM, "--use", "train")
    days = ("--from", "2026-10-01", "--to", "2027-01-01")
    how = ("--unit", "token", "--submit", "--wait")
    declared = manage("declare", files["evaluated.csv"], "--licence", LICENCE, *days, *how)
    manage("accept_declaration", declared["declaration"], "--as", society)  # nothing of it is licensed: a question
    manage("set_compensation", "--society", SOCIETY, "--multiple", "1", "--per-work", "5000", "--from", "2026-01-01")
    manage("compliance")
    _answer_cases(firm)


def _reserve() -> None:
    """A site with what it said, a member's reservation, and one whose identity is being checked."""
    owner = Organisation.objects.get(ref=SOCIETY)
    member = Holder.objects.get(society=owner, ref=MEMBER_REF)
    site = sites.mark_proved(actor=SYSTEM, site=sites.register(actor=SYSTEM, holder=member, host=HOST))
    said = robots.read(b"User-agent: GPTBot\nDisallow: /drafts/\n")
    now, url = timezone.now(), f"https://{HOST}/robots.txt"
    found.keep(site=site, holder=member, society_id=owner.pk, url=url, signal=said, now=now)
    assert FoundSignal.objects.filter(site=site).exists()
    reservations.reserve(
        actor=SYSTEM, society=owner, target=Target.of_holder(member), uses=["index"], source="member",
        claimant=Claimant(holder=member), proved=True, effective_from=now + timedelta(days=30),
    )  # fmt: skip
    reservations.reserve(
        actor=SYSTEM, society=owner, target=Target.place("poet.example.net"), uses=["train"], source="form",
        claimant=Claimant(name="Yun", email="poet@poet.example.net", role="author"),
    )  # fmt: skip


def _answer_cases(firm: str) -> None:
    """One case is told and waits, one is settled and waits for its invoice, one is open still."""
    cases = {case.holder.ref: case for case in Case.objects.select_related("holder") if case.holder}
    for ref in (MEMBER_REF, "H-C"):
        compliance.notify_case(actor=SYSTEM, case=cases[ref])
    compliance.accept(actor=actor_of_user(User.objects.get(email=firm)), case=cases["H-C"])
