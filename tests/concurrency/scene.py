"""The main job in the small, on four dozen real domains: a society of web publishers and a firm that trained on them."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.models import Sum

from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Actor
from accounts.organisations.models import Organisation
from config.actors import actor_of_user
from config.demo import repertoire
from config.demo.documents import RULE, TARIFF
from config.management.commands.verify import SLICES
from licensing.declarations import services as declarations
from licensing.declarations.models import Declaration, DeclaredUse
from licensing.licences.models import Licence
from licensing.terms import LINE_STATUSES
from royalties.billing import services as billing
from royalties.billing.models import Invoice, Receipt
from royalties.distribution import services as distribution
from royalties.distribution.models import Allocation, Run, RunReceipt
from royalties.ledger.models import Journal
from royalties.statements import services as statements
from royalties.statements.models import Statement
from tests.accounts.people import organisation, person
from tests.concurrency.nursery import Nursery
from tests.licensing.parties import determined, licence
from tests.licensing.repertoire_files import bring
from tests.processes import Running

FROM, TO = "2026-01-01", "2026-04-01"
QUARTER = (dt.date.fromisoformat(FROM), dt.date.fromisoformat(TO))
LICENCE, SOCIETY = "HANGANG-WEB", "WEBPUB"
EVERY = 291  # of the 13,989 domains of the data, in its order
PAID_ON = dt.date(2026, 4, 20)


@dataclass(frozen=True)
class Scene:
    """The parties, the file that is declared, and the staff who compute and approve."""

    society: Organisation
    licensee: Organisation
    licence: Licence
    file: Path
    computer: Actor
    approver: Actor
    other_approver: Actor
    undisturbed: dict[str, Any]  # the outcome of declaring the file in peace, under a licence of the same terms
    quarter = QUARTER

    def declare(self, **options: bool) -> Declaration:
        """Declare and submit the file, processed here or (`wait=False`) left to a worker."""
        return _declare(self.licence, self.file, **options)

    def declaration(self) -> Declaration:
        """The one that was made of it."""
        return Declaration.objects.get(licence=self.licence, supersedes=None)

    def bill(self) -> Invoice:
        return billing.bill(actor=SYSTEM, licence=self.licence, period=QUARTER)

    def bill_twin(self) -> Invoice:
        """The invoice of the other licence, for what was declared in peace."""
        twin = Licence.objects.select_related("society", "licensee").get(ref="TWIN")
        return billing.bill(actor=SYSTEM, licence=twin, period=QUARTER)

    def amend(self) -> Declaration:
        """Declare twice as much in place of what was declared, and have it accepted."""
        draft = declarations.amend(actor=SYSTEM, declaration=self.declaration())
        twice = io.BytesIO(self.file.read_bytes() + self.file.read_bytes().partition(b"\n")[2])
        declarations.attach(actor=SYSTEM, declaration=draft, stream=twice, name="twice.csv")
        declarations.process(draft.pk)
        return declarations.submit(actor=SYSTEM, declaration=draft)

    def receive(self, invoice: Invoice, bank_ref: str = "B-1", amount: int | None = None) -> Receipt:
        return billing.record_receipt(
            actor=SYSTEM, invoice=invoice, amount=amount or invoice.open, received_on=PAID_ON, bank_ref=bank_ref
        )

    def paid(self) -> Receipt:
        """A rule for the money, and the money."""
        rule = distribution.import_rule(actor=self.computer, society=self.society, document=RULE)
        distribution.request_rule_approval(actor=self.computer, rule=rule)
        distribution.approve_rule(actor=self.approver, rule=rule)
        return self.receive(self.bill())

    def computed(self) -> Run:
        """A run that waits for a second person's approval."""
        run = distribution.start_run(actor=self.computer, society=self.society, period=QUARTER)
        run = distribution.compute(run.pk)
        distribution.request(actor=self.computer, run=run)
        return run

    def approved(self) -> Run:
        return distribution.approve(actor=self.approver, run=self.computed())

    def published(self) -> Run:
        return statements.publish(actor=self.approver, run=distribution.post(self.approved().pk))


def make_scene(folder: Path) -> Scene:
    """A society whose members hold some of these domains: alone, in two parts, in too many, or without a mandate."""
    society, licensee = organisation(SOCIETY, "society"), organisation("HANGANG-AI")
    rows = repertoire.declared_domains()[::EVERY]
    rows += [row for row in repertoire.declared_domains() if row[0] in ("gutenberg", "stack-dedup")]
    names = sorted(name for name, _ in rows if "." in name)
    members = [name for name in names if repertoire.chance("member", name) < repertoire.MEMBERS_PERCENT]
    shares = repertoire.web_shares(members)
    bring(society, "holders", *(f"P{n:05},Publisher of {name}" for n, name in enumerate(members)))
    bring(society, "works", *(f"W{n:05},web,{name},domain:{name}" for n, name in enumerate(members)))
    bring(society, "shares", *(f"{work},{holder},{role},{share},," for work, holder, role, share in shares))
    bring(society, "mandates", *(f"P{n:05},train,web,*,{FROM}," for n in range(len(members)) if n % 9))
    file = repertoire.write_csv(
        folder / "declaration.csv",
        ("identifier_type", "identifier", "units", "unit", "use"),
        (("domain", name, tokens, "token", "train") for name, tokens in rows),
    )
    computer, approver, other = (_staff(society, name) for name in ("compute", "approve", "second"))
    version = determined(society, TARIFF)
    main, twin = (licence(society, licensee, version, ref=ref, uses=["train"]) for ref in (LICENCE, "TWIN"))
    undisturbed = outcome(_declare(twin, file))
    return Scene(society, licensee, main, file, computer, approver, other, undisturbed)


def _declare(under: Licence, file: Path, submit: bool = True, wait: bool = True) -> Declaration:
    with file.open("rb") as stream:
        return declarations.declare_file(
            actor=SYSTEM, licence=under, period=QUARTER, stream=stream, name=file.name, submit=submit, wait=wait
        )


def _staff(society: Organisation, name: str) -> Actor:
    return actor_of_user(person(society, "distribution", f"{name}@webpub.example"), society.pk)


def email(actor: Actor) -> str:
    from accounts.identity.models import User

    return User.objects.get(pk=actor.user_id).email


# What commands are told.


def to_declare(scene: Scene) -> tuple[str, ...]:
    return ("declare", str(scene.file), "--licence", LICENCE, "--from", FROM, "--to", TO, "--submit", "--wait")


def to_bill() -> tuple[str, ...]:
    return ("bill", "--licence", LICENCE, "--from", FROM, "--to", TO)


def to_receive(invoice: Invoice, amount: int | None = None) -> tuple[str, ...]:
    paid = ("--amount", str(amount or invoice.gross), "--on", PAID_ON.isoformat(), "--bank-ref", "B-1")
    return ("record_receipt", "--invoice", invoice.number, *paid)


def to_distribute(scene: Scene, approver: Actor | None = None) -> tuple[str, ...]:
    """Computed and put up for approval; with an approver posted and published, too."""
    named = ("--approve-as", email(approver), "--publish") if approver else ()
    return ("distribute", "--society", SOCIETY, "--from", FROM, "--to", TO, "--as", email(scene.computer), *named)


class Commands:
    """Starts commands that run beside the test, on its database."""

    def __init__(self, nursery: Nursery, database: str, folder: Path) -> None:
        self.nursery, self.database, self.folder = nursery, database, folder
        self.started: list[Running] = []

    def start(self, arguments: tuple[str, ...]) -> Running:
        log = self.folder / f"command-{len(self.started)}.log"
        child = self.nursery.start((*arguments, "--json"), database=self.database, log=log)
        self.started.append(Running(child, log))
        return self.started[-1]

    def stop(self) -> None:
        for each in self.started:
            if each.process.poll() is None:
                each.kill9()


def ended(process: Running) -> dict[str, Any]:
    """The one JSON object that a command printed, with its exit status as `exit`."""
    status = process.process.wait(120)
    said = [line for line in process.said().splitlines() if line.startswith("{")]
    assert said, process.said()
    return {"exit": status, **json.loads(said[-1])}


# What must hold, whatever happened.


def sound() -> None:
    """Everything that `verify` asks, and the sums that are not its business."""
    assert [problem for problems in SLICES for problem in problems()] == []
    for declaration in Declaration.objects.filter(status__in=["processed", "submitted", "accepted"]):
        assert list(_missing(declaration)) == []
    for run in Run.objects.exclude(status="draft"):
        assert run.pool == sum(run.deductions.values()) + run.reserve + run.payable + run.held + run.suspense


def _missing(declaration: Declaration) -> Iterator[str]:
    """Statuses whose counts or units are not those of the stored uses, or do not sum to the file."""
    for name, counts in (("lines", declaration.lines), ("units", declaration.units)):
        if counts["total"] != sum(counts[status] for status in LINE_STATUSES):
            yield f"{name} do not sum"
        stored = dict(declaration.uses.values_list("status").annotate(n=Sum(name)))
        for status in LINE_STATUSES:
            if status != "rejected" and counts[status] != int(stored.get(status, 0)):
                yield f"{name} of {status}"
    if declaration.lines["total"] != declaration.files.aggregate(n=Sum("lines"))["n"]:
        yield "lines of the files"


def verbs(kind: str, number: int) -> list[str]:
    """The evidence about an object, in order, without its kind."""
    found = Event.objects.about(kind, number).order_by("id").values_list("verb", flat=True)
    return [verb.removeprefix(f"{kind}.") for verb in found]


def outcome(declaration: Declaration) -> dict[str, Any]:
    """All that processing decides, without what is its own: number, licence and times."""
    declaration.refresh_from_db()
    uses = DeclaredUse.objects.filter(declaration=declaration)
    columns = ("work__ref", "scheme", "value", "kind", "use", "unit", "used_on", "status", "basis", "missing_ppm")
    told = ("status", "step", "sha256", "lines", "units", "works", "fee", "questions", "problems")
    return {name: getattr(declaration, name) for name in told} | {
        "uses": sorted(map(str, uses.values_list(*columns, "units", "lines"))),
        "files": list(declaration.files.values_list("position", "lines", "rejected")),
        # That it says the same as its twin is noticed, or not, by which of the two was first.
        "evidence": [verb for verb in verbs("declaration", declaration.pk) if verb != "doubted"],
    }


def ending(run: Run) -> dict[str, Any]:
    """What came of a run and how much was made of it, without its number and times: no database id takes part."""
    run.refresh_from_db()
    told = (
        "status",
        "step",
        "problems",
        "pool",
        "deductions",
        "reserve",
        "distributable",
        "payable",
        "held",
        "suspense",
    )
    digests = ("holders", "works", "input_digest", "result_digest")
    return {name: getattr(run, name) for name in (*told, *digests)} | made() | {"evidence": verbs("run", run.pk)}


def made() -> dict[str, int]:
    """How many there are of what must never be made twice."""
    return {
        "runs": Run.objects.exclude(status="discarded").count(),
        "journals": Journal.objects.filter(kind="run").count(),
        "receipts taken": RunReceipt.objects.filter(active=True).count(),
        "statements": Statement.objects.count(),
        "holders told": Statement.objects.values("holder").distinct().count(),
        "allocations": Allocation.objects.exclude(run__status="discarded").count(),
    }
