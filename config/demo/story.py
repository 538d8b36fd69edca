"""The main job on real data, told with the commands that everyone has: from a declaration to what a creator reads."""

from __future__ import annotations

import json
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from django.core.management import call_command

from accounts.identity.models import User
from config.demo import claims, payments, permission, rates, repertoire
from config.demo.documents import RULE, TARIFF
from config.demo.summary import top_holders
from config.management.commands.distribute import shown
from config.supervisor import Supervisor
from licensing.declarations.models import Declaration
from royalties.distribution.models import Run

YEAR = ("2026-01-01", "2027-01-01")
PAID_ON = "2026-03-02"
WEB, LITERARY, FIRM, SMALL, RATES = "webpub", "literary", "hangang-ai", "namsan", "rate-commission"
COMMISSION = "commission@rates.example"
LICENCE = "HANGANG-WEB-2026"

# Who signs in where: address, organisation, role, and for creators the holder.
PEOPLE = (
    ("licensing@webpub.example", WEB, "licensing", None),
    ("distribution@webpub.example", WEB, "distribution", None),
    ("second@webpub.example", WEB, "distribution", None),
    ("finance@webpub.example", WEB, "finance", None),
    ("admin@webpub.example", WEB, "administrator", None),
    ("repertoire@literary.example", LITERARY, "repertoire", None),
    ("declarant@hangang.example", FIRM, "declarant", None),
    ("admin@hangang.example", FIRM, "administrator", None),
    ("admin@namsan.example", SMALL, "administrator", None),
    (COMMISSION, RATES, "administrator", None),
)
PAYEES = 200  # who say where they are paid
CREATOR = "publisher@creator.example"


def manage(command: str, *arguments: str) -> dict[str, Any]:
    """Run a command of the project in this process, as `manage.py COMMAND … --json`, and return what it prints."""
    out = StringIO()
    try:
        with redirect_stdout(StringIO()):
            call_command(command, *arguments, "--json", stdout=out)
    except SystemExit as end:
        if end.code:
            raise RuntimeError(
                f"manage.py {command} {' '.join(arguments)} ended with {end.code}: {out.getvalue()}"
            ) from None
    result: dict[str, Any] = json.loads(out.getvalue())
    return result


@dataclass
class Story:
    """The demo's steps in order; `seconds` keeps how long each took, `keep` each password. Told twice, the second time changes nothing."""

    folder: Path
    say: Callable[[str], None]
    keep: Callable[[str, str], None]
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[title] = time.perf_counter() - started
        self.say(f"  {title:<44}{self.seconds[title]:>8.1f} s")

    def tell(self) -> dict[str, Any]:
        """Everything; returns the results of the steps that the summary speaks of."""
        with self.step("files made from the shipped data"):
            web = repertoire.write_web_society(self.folder)
            literary = repertoire.write_literary_society(self.folder)
            declaration_file = repertoire.write_declaration(self.folder)
        with self.step("organisations and people"):
            self._organisations()
            self._people()
        imported = {}
        for society, files in ((WEB, web), (LITERARY, literary)):
            with self.step(f"repertoire of {society}"):
                imported[society] = {
                    kind: manage(f"import_{kind}", str(path), "--society", society) for kind, path in files.items()
                }
        with self.step("tariff, distribution rule, licence"):
            self._terms()
        with self.step("declaration, by a real worker"):
            declaration = self._declare(declaration_file)
        with self.step("invoice and receipt"):
            invoice = self._bill()
        with self.step("distribution, approved by a second person"):
            run = self._distribute()
        self._creator(run["run"])
        with self.step("statements"):
            self._statements(run["run"])
        with self.step("permission: reserve, tell, ask, open cases"):
            reserving = [holder for holder, _name, _amount in top_holders(run["run"], 4)[1:]]
            asked = permission.tell(
                manage, self.folder, society=WEB, firm=FIRM, holders=reserving, file=declaration_file
            )
        with self.step("claims: what matched nothing finds its publisher"):
            [(holder, _name, _amount)] = top_holders(run["run"], 1)
            claimed = claims.tell(manage, self.folder, society=WEB, holder=holder, creator=CREATOR, period=YEAR)
        with self.step("payment: payees, tax, order, bank statement"):
            payees = [holder for holder, _name, _amount in top_holders(run["run"], PAYEES)]
            paid = payments.tell(manage, self.folder, society=WEB, holders=payees)
        with self.step("rates and licences: propose, comment, sign"):
            rated = rates.tell(manage, self.folder, society=WEB, firm=SMALL, body=RATES, commission=COMMISSION)
        with self.step("every invariant verified"):
            verified = manage("verify")
        return {
            "imported": imported,
            "declaration": declaration,
            "invoice": invoice,
            "run": run,
            "permission": asked,
            "claims": claimed,
            "payments": paid,
            "rates": rated,
            "verified": verified,
        }

    def _organisations(self) -> None:
        names = {
            WEB: ("society", "Web Publishers’ Rights Society", "웹출판권리협회"),
            LITERARY: ("society", "Literary Rights Society", "문학저작권협회"),
            FIRM: ("licensee", "Hangang AI", "한강에이아이"),
            SMALL: ("licensee", "Namsan Search", "남산서치"),
            RATES: ("rate_body", "Royalty Rate Commission", "사용료심의위원회"),
        }
        for ref, (kind, name, name_ko) in names.items():
            manage("create_organisation", ref, "--kind", kind, "--name", name, "--name-ko", name_ko)

    def _people(self) -> None:
        for email, organisation, role, _holder in PEOPLE:
            self._person(email, "--organisation", organisation, "--role", role)

    def _person(self, email: str, *arguments: str) -> None:
        if not User.objects.filter(email=email).exists():
            password = secrets.token_urlsafe(9)
            self.keep(email, password)  # before the person exists: an interrupted demo locks nobody out
            arguments = (*arguments, f"--password={password}")  # as one word: it may begin with a hyphen
        manage("create_user", email, *arguments)

    def _terms(self) -> None:
        tariff, rule = self.folder / "tariff.json", self.folder / "rule.json"
        tariff.write_text(json.dumps(TARIFF, indent=1), encoding="utf-8")
        rule.write_text(json.dumps(RULE, indent=1), encoding="utf-8")
        manage("import_tariff", str(tariff), "--society", WEB, "--determined-by", RATES)
        two = ("--as", "distribution@webpub.example", "--approve-as", "second@webpub.example")
        manage("import_rule", str(rule), "--society", WEB, *two)
        manage(
            "create_licence", LICENCE, "--licensee", FIRM, "--society", WEB, "--tariff", TARIFF["tariff"],
            "--uses", "train;ground", "--from", YEAR[0], "--to", YEAR[1],
        )  # fmt: skip

    def _declare(self, file: Path) -> dict[str, Any]:
        """Queue the file; a Celery worker of its own processes it, as in production."""
        wanted = (
            str(file),
            "--licence",
            LICENCE,
            "--from",
            YEAR[0],
            "--to",
            YEAR[1],
            "--model",
            "Hangang-1",
            "--dataset",
            "C4",
            "--submit",
        )
        worker = Supervisor(self.say)
        command = [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "config",
            "worker",
            "--loglevel",
            "WARNING",
            "--concurrency",
            "1",
        ]
        worker.start("worker", command, {})
        try:
            declared = manage("declare", *wanted)
            self._wait(declared["declaration"])
        finally:
            worker.stop()
        return manage("declare", *wanted)

    def _wait(self, declaration_id: int, seconds: float = 100) -> None:
        deadline = time.monotonic() + seconds
        ended = {Declaration.Status.ACCEPTED, Declaration.Status.FAILED, Declaration.Status.SUBMITTED}
        while (status := Declaration.objects.values_list("status", flat=True).get(pk=declaration_id)) not in ended:
            if time.monotonic() > deadline:
                raise RuntimeError(f"Declaration {declaration_id} is still {status} after {seconds:.0f} s.")
            time.sleep(0.2)
        if status != Declaration.Status.ACCEPTED:
            raise RuntimeError(f"Declaration {declaration_id} ended {status}.")

    def _bill(self) -> dict[str, Any]:
        invoice = manage("bill", "--licence", LICENCE, "--from", YEAR[0], "--to", YEAR[1])
        paid = ("--amount", str(invoice["amount"]), "--on", PAID_ON, "--bank-ref", "DEMO-0001")
        manage("record_receipt", "--invoice", str(invoice["invoice"]), *paid)
        return invoice

    def _distribute(self) -> dict[str, Any]:
        """A run where money waits; told again, there is none, and the run that took it is shown."""
        done = Run.objects.filter(society__ref=WEB, status=Run.Status.PUBLISHED).order_by("id").first()
        if done is not None:
            return shown(done)
        two = ("--as", "distribution@webpub.example", "--approve-as", "second@webpub.example")
        return manage("distribute", "--society", WEB, "--from", YEAR[0], "--to", YEAR[1], *two, "--publish")

    def _creator(self, run: int) -> None:
        """The member who is owed most can sign in, too."""
        holder = top_holders(run, 1)[0][0]
        self._person(CREATOR, "--organisation", WEB, "--role", "member", "--holder", holder)

    def _statements(self, run: int) -> None:
        manage("export_run", str(run), "--out", str(self.folder / "allocations.csv"))
        for holder, _name, _amount in top_holders(run, 10):
            for language in ("en", "ko"):
                place = ("--out", str(self.folder / "statements" / language), "--language", language)
                manage("export_statements", str(run), "--format", "pdf", "--holder", holder, *place)
