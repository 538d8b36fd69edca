"""The society to measure on, made with the services that everyone has: parties, tariff, rule, and its repertoire."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from accounts.access.services import create_organisation, create_user
from accounts.identity.core import SYSTEM, Actor
from accounts.organisations.models import Organisation
from benchmarks.measure import Clock, Memory
from config.actors import actor_by_email
from licensing.engine import connect
from licensing.intake.models import Import
from licensing.intake.services import keep
from licensing.licences.models import Licence
from licensing.licences.services import create_licence
from licensing.permissions import snapshots
from licensing.permissions.services.importing import import_mandates
from licensing.repertoire.importing import import_holders, import_shares, import_works
from licensing.tariffs.models import Tariff
from licensing.tariffs.services import import_tariff
from royalties.distribution import services as distribution

PERIOD = (datetime.date(2026, 1, 1), datetime.date(2026, 4, 1))
TARIFF: dict[str, Any] = {
    "tariff": "BENCH", "version": 1, "name": "Training", "currency": "KRW", "valid_from": "2026-01-01", "valid_to": None,
    "combine": "sum", "minimum": None, "cap": None,
    "charges": [{
        "name": "training tokens", "uses": ["train"], "kinds": ["*"], "unit": "token", "model": "graduated", "per": 1000,
        "tiers": [{"up_to": 1_000_000_000, "price": "500"}, {"up_to": 10_000_000_000, "price": "300"}, {"price": "100"}],
    }],
}  # fmt: skip
RULE: dict[str, Any] = {
    "rule": "GENERAL", "version": 1, "valid_from": "2026-01-01",
    "deductions": [{"name": "management fee", "percent": "15"}, {"name": "social and cultural fund", "percent": "3"}],
    "use_weights": {"train": 1000}, "unit_weights": {"token": 1}, "kind_points": {"web": 1, "book": 2},
    "equal_part_percent": "0", "reserve_percent": "2",
}  # fmt: skip
SNAPSHOT = "snapshot of the repertoire"
IMPORTS: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("holders", import_holders),
    ("works", import_works),
    ("shares", import_shares),
    ("mandates", import_mandates),
)


@dataclass(frozen=True)
class Parties:
    """Who takes part."""

    society: Organisation
    licensee: Organisation
    computer: Actor
    approver: Actor
    declarant: Actor

    def licensee_has_licence(self) -> bool:
        return Licence.objects.filter(society=self.society, licensee=self.licensee).exists()

    def licence(self) -> Licence:
        """A new licence, so that the same file can be declared again in a database that is kept."""
        number = Licence.objects.filter(society=self.society).count() + 1
        tariff = Tariff.objects.get(society=self.society, ref=TARIFF["tariff"])
        return create_licence(
            actor=SYSTEM, ref=f"{self.society.ref}-{number}", society=self.society, licensee=self.licensee, tariff=tariff,
            uses=["train"], valid_from=PERIOD[0],
        )  # fmt: skip


def make_parties(world: str) -> Parties:
    """Organisations, people, tariff and rule of a world by this name; what is there stays."""
    rates = create_organisation(actor=SYSTEM, ref="bench-rates", kind="rate_body", name="Rate commission")
    society = create_organisation(actor=SYSTEM, ref=f"bench-{world}", kind="society", name="Society")
    licensee = create_organisation(actor=SYSTEM, ref="bench-ai", kind="licensee", name="AI firm")
    computer = _person("computer", society, "distribution")
    approver = _person("approver", society, "distribution")
    declarant = _person("declarant", licensee, "declarant")
    import_tariff(actor=SYSTEM, society=society, document=TARIFF, determined_by=rates)
    rule = distribution.import_rule(actor=computer, society=society, document=RULE)
    if rule.status == rule.Status.PROPOSED:
        distribution.request_rule_approval(actor=computer, rule=rule)
        distribution.approve_rule(actor=approver, rule=rule)
    return Parties(society, licensee, computer, approver, declarant)


def _person(name: str, organisation: Organisation, role: str) -> Actor:
    user = create_user(actor=SYSTEM, email=f"{name}@bench.example", organisation=organisation, role=role)
    return actor_by_email(user.email, organisation)


def import_repertoire(parties: Parties, paths: dict[str, Path], clock: Clock, memory: Memory) -> dict[str, int]:
    """Holders, works, shares and mandates through the imports; rows read by kind, empty where all is there already."""
    if Import.objects.filter(society=parties.society, kind=Import.Kind.MANDATES, status=Import.Status.DONE).exists():
        return {}
    read = {}
    for kind, run in IMPORTS:
        with memory.during(f"import {kind}"), clock.step(f"import {kind}"):
            with paths[f"{kind}.csv"].open("rb") as stream:
                stored = keep(actor=SYSTEM, stream=stream, name=f"{kind}.csv", organisation=parties.society)
            result = run(actor=SYSTEM, society=parties.society, file=stored)
        if result.rejected or result.created != result.read:
            raise RuntimeError(f"{kind}: {result.as_data()}")
        read[kind] = result.read
    return read


def take_snapshot(parties: Parties, clock: Clock, memory: Memory) -> None:
    """What the first declaration after a change of the repertoire does, and later ones need not."""
    with memory.during(SNAPSHOT), clock.step(SNAPSHOT), connect() as engine:
        snapshots.load(engine, parties.society.pk)
