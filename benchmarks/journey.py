"""The main job on one file, through the services, timed step by step: from SHA-256 to published statements."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from django.db import connection

from accounts.identity.core import SYSTEM
from benchmarks.measure import Clock, Memory, Part
from benchmarks.society import PERIOD, Parties
from licensing.declarations import grouping, settling
from licensing.declarations import services as declarations
from licensing.declarations.models import Declaration
from licensing.declarations.services import concluding, drafting
from licensing.engine.duck import DuckEngine
from licensing.intake.services import keep
from licensing.matching import normalising
from licensing.permissions import snapshots
from royalties.billing import services as billing
from royalties.distribution import services as distribution
from royalties.distribution.models import Allocation, Run
from royalties.distribution.services import digests, posting
from royalties.ledger import services as ledger
from royalties.statements import services as statements

computing = import_module("royalties.distribution.services.compute")  # the package shows its function by that name

KEEP, PROCESS, MONEY = "keep, SHA-256", "process", "submit, bill, receive"
COMPUTE, POST, PUBLISH = "compute", "approve and post", "publish statements"
END_TO_END = (KEEP, PROCESS, MONEY, COMPUTE, POST)  # from the file to committed postings


def travel(parties: Parties, file: Path, clock: Clock, memory: Memory) -> tuple[Declaration, Run, dict[str, Any]]:
    """Declare the file under a new licence and distribute what it costs; the counts of what came out."""
    licence = parties.licence()
    with memory.during(KEEP), clock.step(KEEP), file.open("rb") as stream:
        stored = keep(actor=parties.declarant, stream=stream, name=file.name, organisation=parties.licensee)
    declaration = declarations.start(
        actor=parties.declarant, licence=licence, period=PERIOD, use="train", unit="token", model=f"bench {licence.ref}"
    )
    drafting.attach_stored(actor=parties.declarant, declaration=declaration, stored=stored, queue=False)
    with memory.during(PROCESS), clock.step(PROCESS), clock.inside(*_processing()):
        processed = declarations.process(declaration.pk)
    assert processed is not None and processed.status == Declaration.Status.PROCESSED, processed
    with memory.during(MONEY), clock.step(MONEY), clock.inside((connection, "commit", "commit")):
        accepted = declarations.submit(actor=parties.declarant, declaration=processed)
        invoice = billing.bill(actor=SYSTEM, licence=licence, period=PERIOD)
        billing.record_receipt(
            actor=SYSTEM, invoice=invoice, amount=invoice.gross, received_on=PERIOD[1], bank_ref=f"BENCH-{invoice.pk}"
        )
    run = distribution.start_run(actor=parties.computer, society=parties.society, period=PERIOD)
    with memory.during(COMPUTE), clock.step(COMPUTE), clock.inside(*_computing()):
        run = distribution.compute(run.pk)
    with memory.during(POST), clock.step(POST), clock.inside(*_posting()):
        distribution.request(actor=parties.computer, run=run)
        run = distribution.approve(actor=parties.approver, run=run)
        run = distribution.post(run.pk, actor=parties.approver)
    with memory.during(PUBLISH), clock.step(PUBLISH), clock.inside((connection, "commit", "commit")):
        run = statements.publish(actor=parties.approver, run=run)
    return accepted, run, _counts(accepted, run)


def _script(_engine: DuckEngine, script: Path, **_options: Any) -> str:
    return f"engine: {script.name}"


def _processing() -> list[Part]:
    return [
        (snapshots, "load", "repertoire from its snapshot"),
        (grouping, "open_table", "look over the file"),
        (DuckEngine, "run", _script),
        (normalising, "spell", "normalise identifiers"),
        (grouping, "numbered", "row numbers of rejects"),
        (settling, "store", "COPY into declared_use"),
        (concluding, "_rate", "rate"),
        (connection, "commit", "commit"),
    ]


def _computing() -> list[Part]:
    return [
        (computing, "read", "read uses and shares"),
        (DuckEngine, "run", _script),
        (digests, "of_inputs", "digest of inputs"),
        (digests, "of_result", "digest of result"),
        (computing, "_store", "COPY allocations"),
        (connection, "commit", "commit"),
    ]


def _posting() -> list[Part]:
    return [
        (posting, "figures_problems", "check the figures"),
        (ledger, "open_accounts", "open accounts"),
        (ledger, "post_query", "post the journal"),
        (connection, "commit", "commit"),
    ]


def _counts(declaration: Declaration, run: Run) -> dict[str, Any]:
    return {
        "lines": declaration.lines,
        "declared_uses": declaration.uses.count(),
        "allocations": Allocation.objects.filter(run=run).count(),
        "holders": run.holders,
        "works": run.works,
        "pool": run.pool,
        "distributable": run.distributable,
        "suspense": run.suspense,
        "postings": run.journal.posting_count if run.journal else 0,
    }
