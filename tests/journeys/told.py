"""The main job told by commands in this process, as far as a test needs it."""

from __future__ import annotations

import json
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, Final

from django.core.management import call_command
from django.utils import timezone

from accounts.access.services import create_person
from accounts.identity.core import SYSTEM, Actor
from accounts.identity.models import User
from accounts.notices.services import notify
from config.actors import actor_of_user
from licensing.declarations.services import make_due, settle_met
from licensing.licences.conditions import Conditions
from licensing.licences.models import Licence
from licensing.permissions.models import Mandate, MandateTerms
from licensing.permissions.services import end_mandate, signing
from licensing.repertoire.models import Holder
from licensing.repertoire.services import joining, registering
from tests.journeys import (
    example,
    told_books,
    told_claims,
    told_entitlements,
    told_licensing,
    told_outstanding,
    told_payees,
    told_permission,
    told_rates,
    told_ready,
)
from tests.journeys.example import FIRM, LICENCE, MEMBER, MEMBER_REF, PERIOD, RATES, SOCIETY

DAYS: Final = ("--from", PERIOD[0], "--to", PERIOD[1])
LATER: Final = ("--from", PERIOD[1], "--to", "2026-07-01")
STAFF: Final = {
    "society": ("society@korea-web.example", SOCIETY, "administrator"),
    "officer": ("officer@korea-web.example", SOCIETY, "distribution"),
    "second": ("second@korea-web.example", SOCIETY, "distribution"),
    "licensee": ("firm@hanbit.example", FIRM, "administrator"),
    "rate_body": ("rates@commission.example", RATES, "administrator"),
}
PASSWORD: Final = "correct horse battery"
TWO: Final = ("--as", STAFF["officer"][0], "--approve-as", STAFF["second"][0])


def manage(*arguments: object) -> dict[str, Any]:
    out = StringIO()
    call_command(*map(str, arguments), "--json", stdout=out)
    return json.loads(out.getvalue())


def tell(folder: Path) -> None:
    """All of it, up to published statements, and what waits beside them: proposals, a draft, an open run, a reject."""
    files = parties(folder)
    bad = Path(files["holders.csv"])
    bad.write_text(example.HOLDERS + ",Nobody,,,\n", encoding="utf-8")
    manage("import_holders", bad, "--society", SOCIETY)
    manage("issue_token", "--organisation", FIRM, "--scopes", "declarations.declare", "--name", "nightly")
    declare_and_pay(files)
    manage("distribute", "--society", SOCIETY, *DAYS, *TWO, "--publish")
    declare_and_pay(files, LATER, "KB-2")
    manage("distribute", "--society", SOCIETY, *LATER, "--as", STAFF["officer"][0])
    second = folder / "second.json"
    second.write_text(json.dumps(example.TARIFF | {"version": 2, "valid_from": "2027-01-01"}), encoding="utf-8")
    manage("import_tariff", second, "--society", SOCIETY)
    second.write_text(json.dumps(example.RULE | {"version": 2, "valid_from": "2027-01-01"}), encoding="utf-8")
    manage("import_rule", second, "--society", SOCIETY, "--as", STAFF["officer"][0])
    manage(
        "declare",
        files["use.csv"],
        "--licence",
        LICENCE,
        "--from",
        "2026-07-01",
        "--to",
        "2026-10-01",
        "--unit",
        "token",
        "--wait",
    )
    duties()
    members(folder)
    told_permission.tell(manage, folder, firm=STAFF["licensee"][0], society=STAFF["society"][0])
    told_licensing.tell(firm=STAFF["licensee"][0], society=STAFF["society"][0])
    told_ready.tell(society=STAFF["society"][0], second=STAFF["second"][0])
    told_rates.tell(society=STAFF["society"][0], rates=STAFF["rate_body"][0], firm=STAFF["licensee"][0])
    told_claims.tell(society=STAFF["society"][0], member=MEMBER)
    told_entitlements.tell(society=STAFF["society"][0])
    told_outstanding.tell(society=STAFF["society"][0], second=STAFF["second"][0], member=MEMBER)
    told_payees.tell(folder, society=STAFF["society"][0], second="treasurer@korea-web.example")
    told_books.tell(society=STAFF["society"][0], second="treasurer@korea-web.example")
    everyone = list(User.objects.values_list("pk", flat=True))
    notify(user_ids=everyone, key="k", kind="x", subject="Your statement is here", body="₩70,773", link="/statements/")


def duties() -> None:
    """The licence asks for a report a quarter: what was declared meets it, the third quarter's is overdue."""
    Licence.objects.filter(ref=LICENCE).update(conditions=Conditions().as_data())
    make_due(timezone.localdate())
    settle_met()


def members(folder: Path) -> None:
    """Terms to sign and a mandate signed; works registered that wait; somebody who asks to join."""
    words = folder / "terms.txt"
    words.write_text("You authorise the society for the uses that you tick.", encoding="utf-8")
    notice = ("--notice-days", "90", "--notice-to", "month")
    manage("set_mandate_terms", "--society", SOCIETY, "--text", words, *notice, "--from", PERIOD[0])
    actor = actor_of_user(User.objects.get(email=MEMBER))
    own = Holder.objects.get(pk__in=actor.holder_ids)
    held, day = MandateTerms.objects.get(), timezone.localdate() + timedelta(days=60)
    end_mandate(actor=SYSTEM, mandate=Mandate.objects.get(holder=own), on=day)  # the one on paper
    signing.sign(actor=actor, holder=own, terms=held, uses=["index"], typed_name=own.name, language="en", since=day)
    other = Holder.objects.filter(society=own.society).exclude(pk=own.pk).order_by("ref")[0]
    fellow = Actor(
        kind="user",
        id=None,
        label="fellow",
        permissions=frozenset({"works.register"}),
        holder_ids=frozenset({other.pk}),
    )
    for by, holder, named, title in ((fellow, other, own, "Azaleas"), (actor, own, other, "A road by the river")):
        lines = [registering.Named("", "1/2"), registering.Named(named.ref, "1/2")]
        registering.register(actor=by, holder=holder, lines=lines, kind="book", title=title)
    asks, _link = create_person(actor=SYSTEM, email="asks@korea-web.example", name="Seo Yun", password=PASSWORD)
    document = BytesIO(b"%PDF-1.7")
    joining.apply(actor=actor_of_user(asks), society=own.society, identity=document, name="Seo Yun", creates="Poems")


def parties(folder: Path) -> example.Files:
    """Organisations, people, repertoire, tariff, rule and licence, from the example's files in this folder."""
    files = example.write(folder)
    names = {SOCIETY: "Korea Web Society", FIRM: "Hanbit AI", RATES: "Rate Commission"}
    for ref, kind in ((SOCIETY, "society"), (FIRM, "licensee"), (RATES, "rate_body")):
        manage("create_organisation", ref, "--kind", kind, "--name", names[ref])
    for email, ref, role in STAFF.values():
        manage("create_user", email, "--organisation", ref, "--role", role, "--password", PASSWORD)
    for kind in example.FILES:
        manage(f"import_{kind}", files[f"{kind}.csv"], "--society", SOCIETY)
    member = ("--organisation", SOCIETY, "--role", "member", "--holder", MEMBER_REF)
    manage("create_user", MEMBER, *member, "--password", PASSWORD)
    manage("import_tariff", files["tariff.json"], "--society", SOCIETY, "--determined-by", RATES)
    manage("import_rule", files["rule.json"], "--society", SOCIETY, *TWO)
    manage(
        "create_licence", LICENCE, "--licensee", FIRM, "--society", SOCIETY, "--tariff", "WEB",
        "--uses", "train;finetune;ground", "--from", PERIOD[0],
    )  # fmt: skip
    return files


def declare_and_pay(files: example.Files, days: tuple[str, ...] = DAYS, bank_ref: str = "KB-1") -> None:
    """A declaration accepted, billed and paid: money waits to be distributed."""
    how = ("--unit", "token", "--model", "Hanbit-1", "--submit", "--wait")
    manage("declare", files["use.csv"], "--licence", LICENCE, *days, *how)
    invoice = manage("bill", "--licence", LICENCE, *days)
    paid = ("--amount", invoice["amount"], "--on", "2026-07-20", "--bank-ref", bank_ref)
    manage("record_receipt", "--invoice", invoice["invoice"], *paid)
