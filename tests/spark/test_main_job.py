"""The main job on the cluster gives what it gives on DuckDB, to the byte: declared use, allocations, both digests.

On the data of the demo, and on societies drawn at random. One society, two licences of the same terms: what is declared
under the first is settled on one engine, what is declared under the second on the other. (`committed_db`: the signs of
life of a declaration come from a thread of their own, which must see it.)
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from accounts.identity.core import SYSTEM, Actor
from accounts.organisations.models import Organisation
from config.actors import actor_of_user
from config.demo import repertoire
from config.demo.documents import RULE, TARIFF
from config.demo.story import manage
from licensing.declarations import services as declarations
from licensing.declarations.models import Declaration
from licensing.engine import spark as engine_spark
from licensing.engine.models import EngineChoice
from licensing.licences.models import Licence
from licensing.permissions.models import Reservation
from licensing.repertoire.models import Holder, Work
from royalties.billing import services as billing
from royalties.distribution import services as distribution
from royalties.distribution.models import Run
from tests.accounts.people import person
from tests.clusters import WORKERS, Cluster
from tests.conftest import Committed
from tests.licensing.parties import determined, licence, organisation
from tests.licensing.repertoire_files import bring
from tests.licensing.tariff_documents import charge, tariff

QUARTER = (dt.date(2026, 1, 1), dt.date(2026, 4, 1))
USES = "work_id, scheme, value, kind, use, unit, used_on, status, basis, missing_ppm, units, lines, title, creators"
PARTS = (
    "a.work_id, a.scheme, a.value, a.holder_id, a.role, a.used_on, a.ppm, a.weight, a.work_amount, a.set_amount, a.amount, "
    "a.status, a.reason"
)


def choose(society: Organisation, engine: str) -> None:
    EngineChoice.objects.update_or_create(society=society, defaults={"engine": engine})


def declare(under: Licence, file: Path) -> Declaration:
    with file.open("rb") as stream:
        made = declarations.declare_file(
            actor=SYSTEM, licence=under, period=QUARTER, stream=stream, name=file.name, submit=True, wait=True
        )
    if made.status == Declaration.Status.SUBMITTED:  # with questions: accepted all the same
        Declaration.objects.filter(pk=made.pk).update(status=Declaration.Status.ACCEPTED)
    made.refresh_from_db()
    assert made.status == Declaration.Status.ACCEPTED, made.problems
    return made


def stored(declaration: Declaration) -> list[Any]:
    """How many rows, and their digest in the order in which they were stored."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT count(*), md5(string_agg(t::text, E'\\n' ORDER BY id))
            FROM (SELECT id, {USES} FROM licensing_declareduse WHERE declaration_id = %s) AS u,
            LATERAL (SELECT {USES}) t""",
            [declaration.pk],
        )
        return list(cursor.fetchone())


def allocated(run: Run) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT count(*), md5(string_agg(t::text, E'\\n' ORDER BY id))
            FROM (SELECT a.id, {PARTS}, p.invoice_id FROM royalties_allocation a JOIN royalties_runpool p ON p.id = a.pool_id
                  WHERE a.run_id = %s) AS a, LATERAL (SELECT {PARTS}, a.invoice_id) t""",
            [run.pk],
        )
        return list(cursor.fetchone())


def declared_on_both(society: Organisation, licences: Iterable[Licence], file: Path, first: str) -> list[Declaration]:
    made = []
    for engine, under in zip([first, "spark" if first == "duckdb" else "duckdb"], licences, strict=True):
        choose(society, engine)
        made.append(declare(under, file))
    one, other = made
    assert one.lines == other.lines and one.units == other.units and one.works == other.works
    assert stored(one) == stored(other)
    return made


def paid(society: Organisation, licences: Iterable[Licence], document: dict[str, Any]) -> Actor:
    """A rule and money for what was declared; returns who computes."""
    computer, approver = (
        actor_of_user(person(society, "distribution", f"{name}@society.example"), society.pk) for name in ("one", "two")
    )
    rule = distribution.import_rule(actor=computer, society=society, document=document)
    distribution.request_rule_approval(actor=computer, rule=rule)
    distribution.approve_rule(actor=approver, rule=rule)
    for n, under in enumerate(licences):
        invoice = billing.bill(actor=SYSTEM, licence=under, period=QUARTER)
        billing.record_receipt(
            actor=SYSTEM, invoice=invoice, amount=invoice.open, received_on=dt.date(2026, 4, 20), bank_ref=f"B-{n}"
        )
    return computer


def computed(society: Organisation, computer: Actor, engine: str) -> dict[str, Any]:
    """A run's result on this engine. The run is discarded, so that the next one finds the same money."""
    choose(society, engine)
    run = distribution.start_run(actor=computer, society=society, period=QUARTER)
    run = distribution.compute(run.pk)
    assert run.status == Run.Status.COMPUTED, run.problems
    found = {
        "input": run.input_digest, "result": run.result_digest, "payable": run.payable, "held": run.held,
        "suspense": run.suspense, "holders": run.holders, "works": run.works, "rows": allocated(run),
    }  # fmt: skip
    distribution.discard(actor=computer, run=run)
    return found


def test_on_the_data_of_the_demo(committed_db: Committed, spark: Cluster, tmp_path: Path) -> None:
    society, firm = organisation("WEBPUB", "society"), organisation("HANGANG-AI", "licensee")
    for kind, path in repertoire.write_web_society(tmp_path).items():
        manage(f"import_{kind}", str(path), "--society", society.ref)
    version = determined(society, TARIFF)
    licences = [licence(society, firm, version, ref=ref, uses=["train", "ground"]) for ref in ("L-1", "L-2")]
    file = repertoire.write_declaration(tmp_path)
    one, _other = declared_on_both(society, licences, file, "duckdb")
    assert one.lines["total"] > 10_000
    assert all(one.lines[status] for status in ("licensed", "unmandated", "unmatched"))
    computer = paid(society, licences, RULE)
    on_duckdb, on_spark = (computed(society, computer, engine) for engine in ("duckdb", "spark"))
    assert on_spark == on_duckdb
    assert on_spark["rows"][0] > 10_000


@pytest.mark.parametrize("seed", [1])
def test_on_a_society_drawn_at_random(committed_db: Committed, spark: Cluster, tmp_path: Path, seed: int) -> None:
    society, firm = organisation("RANDOM", "society"), organisation("FIRM", "licensee")
    drawn = random.Random(seed)
    works = draw_society(society, drawn)
    version = determined(society, tariff(charge("per_unit", "tokens", per=1000, price="10")))
    licences = [licence(society, firm, version, ref=ref, uses=["train", "ground"]) for ref in ("L-1", "L-2")]
    file = repertoire.write_csv(
        tmp_path / "declared.csv",
        ("identifier_type", "identifier", "units", "unit", "use", "used_on", "title", "creators"),
        (draw_line(drawn, works) for _ in range(6_000)),
    )
    one, _other = declared_on_both(society, licences, file, "spark")
    assert all(one.lines[status] for status in ("licensed", "reserved", "unmandated", "unlicensed", "unmatched")), (
        one.lines
    )
    unequal = RULE | {
        "equal_part_percent": "10",
        "kind_points": {"web": 1, "book": 3, "news": 2},
        "use_weights": {"train": 1000, "ground": 2500},
    }
    computer = paid(society, licences, unequal)
    on_spark, on_duckdb = (computed(society, computer, engine) for engine in ("spark", "duckdb"))
    assert on_spark == on_duckdb
    assert min(on_spark[part] for part in ("payable", "held", "suspense")) > 0


def test_both_workers_compute(spark: Cluster) -> None:
    with engine_spark.connect() as engine:
        engine.table("t", {"n": "BIGINT"}, [(n,) for n in range(1_000)])
        assert engine.rows("SELECT CAST(SUM(n) AS BIGINT) FROM t") == [(499_500,)]
        executors = engine.session.sparkContext._jsc.sc().getExecutorMemoryStatus().size() - 1  # and the driver
        assert engine.session.sparkContext.master.startswith("spark://")
    assert executors == WORKERS


HOSTS = [f"{name}.{suffix}" for name in ("a", "b", "c", "d", "e") for suffix in ("example", "co.kr", "or.kr", "go.kr")]
PATHS = ["", "/x", "/x/y", "/x/y/z", "/한글/글", "/x/y?id=1", "/%EA%B0%80"]


def draw_place(drawn: random.Random) -> tuple[str, str]:
    host = drawn.choice(["", "", "www.", "en.m."]) + drawn.choice(HOSTS)
    return ("domain", host) if drawn.random() < 0.3 else ("url", f"https://{host}{drawn.choice(PATHS)}")


def draw_society(society: Organisation, drawn: random.Random) -> list[tuple[str, str]]:
    """Works under web places and other identifiers, with shares that change, mandates with gaps, and reservations."""
    holders = [f"H{n}" for n in range(40)]
    bring(society, "holders", *(f"{ref},Holder {ref}" for ref in holders))
    known: dict[tuple[str, str], str] = {}
    rows = []
    for n in range(300):
        said = draw_place(drawn) if n % 2 else ("proprietary", f"P-{drawn.randrange(1000)}")
        if said in known:
            continue
        known[said] = f"W{n}"
        kind = drawn.choice(["web", "book", "news"])
        rows.append(f'W{n},{kind},"Title {n}",{said[0]}:{said[1]}')
    bring(society, "works", *rows)
    bring(society, "shares", *(line for work in known.values() for line in draw_shares(drawn, work, holders)))
    bring(society, "mandates", *(line for holder in holders for line in draw_mandates(drawn, holder)))
    for share in list(Work.objects.filter(society=society).order_by("ref"))[::17]:
        share.shares.update(disputed=True)
    draw_reservations(society, drawn)
    return list(known)


def draw_shares(drawn: random.Random, work: str, holders: list[str]) -> list[str]:
    if drawn.random() < 0.1:
        return []
    those = drawn.sample(holders, drawn.choice([1, 1, 2, 3]))
    parts = drawn.choice(
        [[1_000_000], [500_000, 500_000], [333_333, 333_333, 333_334], [400_000, 300_000], [700_000, 700_000]]
    )
    if drawn.random() < 0.2:  # others from the middle of the quarter on
        day = f"2026-02-{drawn.randrange(1, 28):02}"
        heir = drawn.choice([holder for holder in holders if holder not in those])
        return [f"{work},{those[0]},author,1000000ppm,,{day}", f"{work},{heir},heir,1000000ppm,{day},"]
    return [f"{work},{holder},author,{ppm}ppm,," for holder, ppm in zip(those, parts, strict=False)]


def draw_mandates(drawn: random.Random, holder: str) -> list[str]:
    if drawn.random() < 0.15:
        return []
    until = drawn.choice(["", "", "2026-03-01"])
    return [
        f"{holder},{drawn.choice(['*', 'train', 'train;ground'])},{drawn.choice(['*', 'web;book'])},*,2026-01-01,{until}"
    ]


def draw_reservations(society: Organisation, drawn: random.Random) -> None:
    moment = dt.datetime(2026, 1, 20, 12, tzinfo=dt.UTC)
    works = list(Work.objects.filter(society=society).order_by("ref"))
    holders = list(Holder.objects.filter(society=society).order_by("ref"))
    targets: list[dict[str, Any]] = [{"target": "work", "work": work} for work in drawn.sample(works, 8)]
    targets += [{"target": "holder", "holder": drawn.choice(holders)}]
    targets += [{"target": "place", "place": host} for host in drawn.sample(HOSTS, 3)]
    targets += [{"target": "place", "place": drawn.choice(HOSTS), "pattern": "*/x*", "excepting": ["*/x/y$"]}]
    targets += [{"target": "identifier", "scheme": "proprietary", "value": "P-7"}]
    for n, target in enumerate(targets):
        ended = drawn.choice([None, moment + dt.timedelta(days=50)])
        Reservation.objects.create(
            ref=f"R-{n}", society=society, uses=drawn.choice([["*"], ["train"]]), territory=["*"], source="staff",
            status="withdrawn" if ended else "effective", ended_at=ended, received_at=moment,
            effective_from=moment + dt.timedelta(days=drawn.randrange(40)), **target,
        )  # fmt: skip


def draw_line(drawn: random.Random, works: list[tuple[str, str]]) -> tuple[object, ...]:
    """A line of the file: of a work, near one, of nobody's, or by title alone; now and then for a use without licence."""
    chance = drawn.random()
    if chance < 0.5:
        said = drawn.choice(works)
    elif chance < 0.9:
        said = drawn.choice([draw_place(drawn), ("proprietary", f"P-{drawn.randrange(1000)}")])
    else:
        said = ("", "")
    titled = ("Ein Titel é", "Kim; Lee") if not said[0] or drawn.random() < 0.2 else ("", "")
    use = drawn.choice(["train"] * 6 + ["ground"] * 3 + ["evaluate"])
    day = dt.date(2026, 1, 1) + dt.timedelta(days=drawn.choice([0, 10, 25, 40, 55, 70, 89]))
    units = drawn.choice([1, 7, 1_000, 999_999_999, drawn.randrange(1, 10**12)])
    return (*said, units, "token", use, day, *titled)
