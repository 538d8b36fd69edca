"""What the demo prints at its end: counts, money, the identity, and where to look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db.models import Sum

from config.demo import claims, payments, permission, rates
from royalties.distribution.models import Allocation

STATUSES = ("licensed", "unmatched", "unmandated", "unlicensed", "reserved", "rejected")


def top_holders(run: int, count: int) -> list[tuple[str, str, int]]:
    """(holder_ref, name, payable) of those who get most from a run."""
    owed = Allocation.objects.filter(pool__run_id=run, status=Allocation.Status.PAYABLE)
    named = (
        owed.values_list("holder__ref", "holder__name").annotate(total=Sum("amount")).order_by("-total", "holder__ref")
    )
    return [(ref, name, total) for ref, name, total in named[:count]]


def money(amount: int) -> str:
    return f"{'−' if amount < 0 else ''}₩{abs(amount):,}"


def lines(told: dict[str, Any], folder: Path) -> Iterator[str]:
    """The summary, a line at a time."""
    yield from _declared(told["declaration"])
    yield from _distributed(told["run"], told["invoice"])
    yield from permission.lines(told["permission"], money)
    yield from claims.lines(told["claims"], money)
    yield from payments.lines(told["payments"], money)
    yield from rates.lines(told["rates"], money)
    yield ""
    yield f"Invariants: {'all hold' if told['verified']['ok'] else told['verified']['problems']}"
    yield f"Statements (PDF, English and Korean): {folder / 'statements'}"
    yield f"Every allocation: {folder / 'allocations.csv'}"


def _declared(declaration: dict[str, Any]) -> Iterator[str]:
    yield ""
    lines_read, tokens = declaration["lines"]["total"], declaration["units"]["total"]
    yield f"Declared: {lines_read:,} lines, {tokens:,} tokens, {declaration['works']:,} works"
    for status in STATUSES:
        yield f"  {status:<12}{declaration['lines'][status]:>10,} lines{declaration['units'][status]:>20,} tokens"


def _distributed(run: dict[str, Any], invoice: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield f"Invoice {invoice['invoice']}: {money(invoice['amount'])}, received in full"
    yield f"Pool{money(run['pool']):>36}"
    for name, amount in run["deductions"].items():
        yield f"  {name:<26}{money(-amount):>12}"
    yield f"  {'reserve':<26}{money(-run['reserve']):>12}"
    yield f"Distributable{money(run['distributable']):>27}"
    parts = {part: run[part] for part in ("payable", "held", "suspense")}
    for part, amount in parts.items():
        yield f"  {part:<26}{money(amount):>12}"
    yield f"  to {run['holders']:,} holders for {run['works']:,} works"
    taken = sum(run["deductions"].values())
    total = taken + run["reserve"] + sum(parts.values())
    verdict = "holds to the won" if total == run["pool"] else "DOES NOT HOLD"
    yield (
        f"{money(run['pool'])} = {money(taken)} + {money(run['reserve'])} + "
        + " + ".join(map(money, parts.values()))
        + f": {verdict}"
    )
    yield ""
    yield "Owed most"
    for place, (ref, name, amount) in enumerate(top_holders(run["run"], 10), 1):
        yield f"  {place:>2}  {ref}  {name:<40}{money(amount):>14}"
