"""What money costs: a run of many holders posted with every check on, small journals by several writers, a member's own pages.

Journals are posted through the ledger's services, the run through distribution's. Holders, works and allocations come by SQL, as
COPY would bring them in; every trigger looks at them. The pages are asked for once all runs are published, so that a member has
many statements among many rows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.measure import Clock
    from benchmarks.society import Parties

_HOLDERS = """
    INSERT INTO licensing_holder (society_id, ref, name, name_ko, kind, ipi, isni, email, country, tax_status)
    SELECT %s, 'M' || n, 'Member ' || n, '', 'person', '', '', '', 'KR', '' FROM generate_series(1, %s) n"""
_OWED = """
    SELECT %s::bigint, a.id, 1000 + a.owner_id %% 9000 FROM ledger_account a
    WHERE a.society_id = %s AND a.kind = 'payable' AND a.currency = 'KRW'"""
# As the engine stores them: a holder's together, each with a part of a work of their own.
_ALLOCATIONS = """
    INSERT INTO royalties_allocation (run_id, pool_id, work_id, scheme, value, holder_id, role, used_on, ppm, weight, work_amount,
      set_amount, amount, status, reason)
    SELECT %(run)s, %(pool)s, %(work)s, '', '', h.id, '', '2026-03-31', 1000000, 1000, x.amount, x.amount, x.amount, 'payable', ''
    FROM licensing_holder h CROSS JOIN generate_series(1, %(each)s) n CROSS JOIN LATERAL (SELECT 100 + (h.id * n) %% 900 AS amount) x
    WHERE h.society_id = %(society)s ORDER BY h.id"""
PAGES = {"what I am owed": "/overview/", "my account": "/account/", "my statements": "/statements/"}


@dataclass(frozen=True)
class Size:
    """How large: holders of one journal, journals and writers, and the runs whose allocation rows a member's pages stand in."""

    holders: int = 200_000
    journals: int = 20_000
    writers: int = 4
    allocations: int = 50_000_000
    runs: int = 12


def measure(size: Size, clock: Clock, say: Callable[..., None]) -> dict[str, Any]:
    from benchmarks.society import make_parties

    parties = make_parties(f"money-{time.time_ns()}")
    results: dict[str, Any] = {"size": vars(size)}
    results["bulk"] = bulk(parties, size.holders, clock)
    say(f"one journal of {size.holders:,} holders: {results['bulk']['postings_a_second']:>12,.0f} postings/s")
    results["small"] = {
        name: small(parties, size, shared=shared) for name, shared in (("a book each", False), ("one book", True))
    }
    for name, found in results["small"].items():
        say(
            f"journals of two postings by {size.writers} writers, {name}: {found['journals_a_second']:>10,.0f} journals/s"
        )
    results["runs"] = published(parties, size, clock)
    for name, seconds in results["runs"].items():
        say(f"{name:<60}{seconds:>9.2f} s")
    results["pages"] = pages(parties)
    for name, figures in results["pages"].items():
        say(f"{name:<40}{figures['median']:>9.1f} ms{figures['p95']:>9.1f} ms (95 %){figures['queries']:>6.0f} queries")
    return results


def bulk(parties: Parties, holders: int, clock: Clock) -> dict[str, float]:
    """One journal with a line a holder, to its commit: staged, digested, checked, balances moved, evidence recorded."""
    from django.db import connection, transaction

    from royalties.distribution.models import Run
    from royalties.ledger import services as ledger

    book: dict[str, Any] = {"society_id": parties.society.pk, "currency": "KRW"}
    with connection.cursor() as cursor:
        cursor.execute(_HOLDERS, [parties.society.pk, holders])
        cursor.execute("ANALYZE licensing_holder")
    owners = "SELECT id FROM licensing_holder WHERE society_id = %s"
    with clock.step("open the accounts"), transaction.atomic():
        ledger.open_accounts(kind="payable", owners=owners, params=[parties.society.pk], **book)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE ledger_account")
    clearing = ledger.account(kind="clearing", owner_id=Run.objects.count() + 10**9, **book)
    bank = ledger.account(kind="bank", **book)
    ledger.post(
        society_id=parties.society.pk, kind="receipt", key=f"bench:{parties.society.pk}", effective_on=_day(),
        transfers=[ledger.Transfer(bank, clearing, 10_000 * holders)],
    )  # fmt: skip
    name = "post them, to the commit"
    with clock.step(name), transaction.atomic():
        journal = ledger.post_query(
            society_id=parties.society.pk, kind="run", key=f"bench:{parties.society.pk}:run", effective_on=_day(), query=_OWED,
            params=[clearing, parties.society.pk],
        )  # fmt: skip
    if journal.posting_count != holders:
        raise RuntimeError(f"{journal.posting_count} postings")
    took, used, opening = clock.seconds[name], clock.processor[name], clock.seconds["open the accounts"]
    return {"seconds": took, "processor": used, "postings_a_second": holders / took, "opening": opening}


def small(parties: Parties, size: Size, *, shared: bool) -> dict[str, float]:
    """Writers at once, each a process: journals of two postings, each a transaction with its evidence, from one signal on."""
    each = size.journals // size.writers
    order = [sys.executable, "-m", "benchmarks.money", str(each)]
    societies = [parties.society.pk if shared else _book(parties, n) for n in range(size.writers)]
    started = [
        subprocess.Popen(
            [*order, str(society), str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ
        )
        for n, society in enumerate(societies)
    ]
    for writer in started:
        assert writer.stdout is not None and writer.stdout.readline() == "ready\n"
    began = time.perf_counter()
    for writer in started:
        assert writer.stdin is not None
        writer.stdin.write("go\n"), writer.stdin.close()
    used = sum(json.loads(writer.stdout.read())["processor"] for writer in started if writer.stdout is not None)
    seconds = time.perf_counter() - began
    if any(writer.wait() for writer in started):
        raise RuntimeError("A writer failed.")
    done = each * size.writers
    return {"journals": done, "seconds": seconds, "writers' processor": used, "journals_a_second": done / seconds}


def _book(parties: Parties, number: int) -> int:
    from accounts.access.services import create_organisation
    from accounts.identity.core import SYSTEM

    ref = f"{parties.society.ref}-{number}"
    return create_organisation(actor=SYSTEM, ref=ref, kind="society", name="Society").pk


def write(many: int, society: int, number: int) -> None:
    """What one writer does: money comes in for one invoice after the other."""
    from django.db import transaction

    from royalties.ledger import services as ledger

    book: dict[str, Any] = {"society_id": society, "currency": "KRW"}
    owner = 10**9 + number
    bank, favour = ledger.account(kind="bank", **book), ledger.account(kind="favour", owner_id=owner, **book)
    pools = [ledger.account(kind="pool", owner_id=owner + 100 * n, **book) for n in range(100)]
    print("ready", flush=True)
    sys.stdin.readline()
    used = time.process_time()
    for n in range(many):
        with transaction.atomic():
            ledger.post(
                society_id=society, kind="receipt", key=f"bench:{society}:{number}:{n}:{used}", effective_on=_day(),
                transfers=[ledger.Transfer(bank, favour, 1_000), ledger.Transfer(favour, pools[n % 100], 1_000)],
            )  # fmt: skip
    print(json.dumps({"processor": time.process_time() - used}), flush=True)


def published(parties: Parties, size: Size, clock: Clock) -> dict[str, float]:
    """Runs with so many allocation rows in all: stored, posted by holder, told to each; seconds of the last one, and of all."""
    from django.db import connection

    sums = dict.fromkeys(("allocations stored", "posted", "published"), 0.0)
    each = max(1, size.allocations // size.runs // size.holders)
    for number in range(size.runs):
        last = _run(parties, number, each, clock)
        for name, seconds in last.items():
            sums[name] += seconds
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) royalties_allocation, royalties_statement, ledger_posting, ledger_account")
    rows = each * size.holders
    told = {f"the last run, {name}, of {rows:,} rows": seconds for name, seconds in last.items()}
    return told | {f"all {size.runs} runs, {name}": seconds for name, seconds in sums.items()}


def _run(parties: Parties, number: int, each: int, clock: Clock) -> dict[str, float]:
    from django.db import connection

    from royalties.distribution import services as distribution
    from royalties.statements import services as statements

    began = time.perf_counter()
    run = _computed(parties, number, each)
    stored = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE royalties_allocation")
    distribution.request(actor=parties.computer, run=run)
    distribution.approve(actor=parties.approver, run=run)
    began = time.perf_counter()
    run = distribution.post(run.pk)
    posted = time.perf_counter() - began
    began = time.perf_counter()
    statements.publish(actor=parties.approver, run=run)
    return {"allocations stored": stored, "posted": posted, "published": time.perf_counter() - began}


def _computed(parties: Parties, number: int, each: int) -> Any:
    """A run as computing leaves it: a receipt's money, allocated to every holder in `each` rows."""
    from django.db import connection, transaction
    from django.db.backends.postgresql.psycopg_any import DateRange
    from django.db.models import Count, Sum

    from benchmarks.society import PERIOD
    from licensing.repertoire.models import Work
    from royalties.billing.models import Invoice, Receipt
    from royalties.distribution.models import Allocation, Rule, Run, RunPool, RunReceipt
    from royalties.ledger import services as ledger

    society = parties.society
    book: dict[str, Any] = {"society_id": society.pk, "currency": "KRW"}
    licence, name = parties.licence(), f"{parties.society.ref}-{number}"
    work, _new = Work.objects.get_or_create(society=society, ref="W", defaults={"title": "A work", "kind": "web"})
    with transaction.atomic():
        run = Run.objects.create(
            society=society, period=DateRange(*PERIOD), currency="KRW", rule=Rule.objects.get(society=society)
        )
        journal = ledger.post(
            society_id=society.pk, kind="invoice", key=f"invoice:{name}", effective_on=_day(),
            transfers=[ledger.Transfer(ledger.account(kind="receivable", owner_id=parties.licensee.pk, **book),
                                       ledger.account(kind="billed", owner_id=run.pk, **book), 1)],
        )  # fmt: skip
        invoice = Invoice.objects.create(
            society=society, licensee=parties.licensee, licence=licence, number=name, period=run.period, currency="KRW", rating={},
            net=1, gross=1, issued_on=_day(), due_on=_day(), journal=journal,
        )  # fmt: skip
        pool = RunPool.objects.create(run=run, invoice=invoice, amount=0)
        with connection.cursor() as cursor:
            cursor.execute(
                _ALLOCATIONS,
                {"run": run.pk, "pool": pool.pk, "work": work.pk, "each": each, "society": society.pk},
            )
        found = Allocation.objects.filter(run=run).aggregate(n=Sum("amount"), holders=Count("holder", distinct=True))
        total = int(found["n"])
        receipt = Receipt.objects.create(
            society=society, invoice=invoice, amount=total, net=total, received_on=_day(), bank_ref=name,
            journal=ledger.post(
                society_id=society.pk, kind="receipt", key=f"receipt:{name}", effective_on=_day(),
                transfers=[ledger.Transfer(ledger.account(kind="bank", **book),
                                           ledger.account(kind="pool", owner_id=invoice.pk, **book), total)],
            ),
        )  # fmt: skip
        RunReceipt.objects.create(pool=pool, receipt=receipt)
        RunPool.objects.filter(pk=pool.pk).update(amount=total, distributable=total)
        digest = f"{run.pk:064x}"
        Run.objects.filter(pk=run.pk).update(
            status=Run.Status.COMPUTED, pool=total, distributable=total, payable=total, holders=found["holders"], works=1,
            input_digest=digest, result_digest=digest,
        )  # fmt: skip
    run.refresh_from_db()
    return run


def pages(parties: Parties) -> dict[str, dict[str, float]]:
    """A member's balance and list of statements, through the site's own views: milliseconds of one answer."""
    from django.test import Client

    from accounts.access.services import create_person
    from accounts.identity.core import SYSTEM
    from benchmarks.reading import timed
    from licensing.repertoire.models import Holder
    from licensing.repertoire.services import represent

    holder = Holder.objects.filter(society=parties.society).select_related("society").order_by("id")[10]
    user, _new = create_person(actor=SYSTEM, email=f"{parties.society.ref}@bench.example", name="Member")
    represent(actor=SYSTEM, user=user, holder=holder)
    client = Client(headers={"host": "localhost"})
    client.force_login(user)
    return {name: timed(lambda address=address: client.get(address)) for name, address in PAGES.items()}  # type: ignore[misc]


def _day() -> Any:
    from django.utils import timezone

    return timezone.localdate()


if __name__ == "__main__":
    import django

    django.setup()
    write(*map(int, sys.argv[1:4]))
