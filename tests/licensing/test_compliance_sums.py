"""What cases ask for sums to what the tariff would have asked, whatever was used and whoever had which part of it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from licensing.compliance import core, services
from licensing.compliance.models import Case, CaseScan, CaseUse
from licensing.declarations.models import Declaration
from licensing.repertoire.models import Holder, Share, Work
from licensing.terms import PPM
from tests.licensing.compliance_world import World, declared, make, terms
from tests.licensing.parties import determined, licence
from tests.licensing.tariff_documents import charge, tariff

pytestmark = pytest.mark.django_db
HOLDERS = ("H1", "H2", "H3")


@pytest.fixture
def world() -> World:
    """A tariff of two charges, one for tokens and one a work, of which both price training; and terms."""
    made = make(("S", 1))
    document = tariff(
        charge("per_unit", "tokens", per=7, price="3"), charge("per_work", "works", price="11", unit="*"),
        charge("flat", "a quarter", amount="1000", unit="*"), tariff="TWO", cap="900",
    )  # fmt: skip
    version = determined(made.society, document)
    terms(made.society, "1.5", per_work=13)
    held = licence(made.society, made.of.licensee, version, ref="L-2", uses=["index"])
    object.__setattr__(made.of, "licence", held)
    return made


works = st.lists(
    st.tuples(
        st.integers(1, 10**6),
        st.lists(
            st.tuples(st.sampled_from(HOLDERS), st.integers(1, 700_000)), max_size=3, unique_by=lambda part: part[0]
        ),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(works)
def test_cases_sum_to_the_fee_and_equal_the_sums_by_hand(
    world: World, used: list[tuple[int, list[tuple[str, int]]]]
) -> None:
    with transaction.atomic():
        declaration = declared(world.of, *[_made(world, n, units, parts) for n, (units, parts) in enumerate(used)])
        services.open_cases(declaration.pk)
        _holds(used, declaration)
        transaction.set_rollback(True)


def _made(world: World, n: int, units: int, parts: list[tuple[str, int]]) -> tuple[str, int]:
    work = Work.objects.create(society=world.society, ref=f"X{n}", kind="book", title="X")
    for ref, ppm in parts:
        holder = Holder.objects.get(society=world.society, ref=ref)
        Share.objects.create(work=work, holder=holder, role="a", ppm=ppm, valid=DateRange(None, None))
    return work.ref, units


def _holds(used: list[tuple[int, list[tuple[str, int]]]], declaration: Declaration) -> None:
    rating = CaseScan.objects.get(declaration=declaration).rating
    assert rating is not None
    rows = Case.objects.filter(declaration=declaration).select_related("holder")
    found = {case.holder.ref if case.holder else "~": case for case in rows}
    assert sum(case.ordinary or 0 for case in found.values()) == rating["amount"]
    assert {ref: case.ordinary for ref, case in found.items()} == by_hand(used, rating)
    asked = core.Terms(Decimal("1.5"), 13, "KRW")
    for case in found.values():
        assert case.proposed == core.proposed(case.ordinary, case.works, asked)
    for n in range(len(used)):
        parts = CaseUse.objects.filter(case__declaration=declaration, work__ref=f"X{n}").values_list("ppm", flat=True)
        assert sum(parts) >= PPM, "the whole of each work is in the cases"


def by_hand(used: list[tuple[int, list[tuple[str, int]]]], rating: dict[str, Any]) -> dict[str, int]:
    """The same division in plain integers; nobody is `~`, which is last."""
    parts: list[tuple[str, int, int]] = []  # holder, ppm, units
    for units, shares in used:
        rest = PPM - sum(ppm for _ref, ppm in shares)
        parts += [(ref, ppm, units) for ref, ppm in shares] + ([("~", rest, units)] if rest > 0 else [])
    holders = sorted({ref for ref, _ppm, _units in parts})
    sums = dict.fromkeys(holders, 0)
    for line in rating["lines"]:
        whole = line["model"] == "per_work"
        weights = [sum(ppm if whole else ppm * n for ref, ppm, n in parts if ref == holder) for holder in holders]
        for holder, amount in zip(holders, divide(line["amount"], weights), strict=True):
            sums[holder] += amount
    return dict(zip(holders, divide(rating["amount"], [sums[holder] for holder in holders]), strict=True))


def divide(amount: int, weights: Sequence[int]) -> list[int]:
    total = sum(weights)
    if not total:
        return [0] * len(weights)
    quotas = [amount * weight // total for weight in weights]
    order = sorted(range(len(weights)), key=lambda place: (-(amount * weights[place] % total), place))
    for place in order[: amount - sum(quotas)]:
        quotas[place] += 1
    return quotas
