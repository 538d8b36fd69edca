"""What a draft would have changed: exact, over the last year's accepted use, and never what one firm pays."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from accounts.identity.core import Conflict, Forbidden, NotFound
from accounts.organisations.models import Organisation
from licensing.declarations import effects
from licensing.declarations.effects import FEWEST_FIRMS, _Row, merge
from licensing.declarations.models import DeclaredUse
from licensing.licences.models import Licence
from licensing.repertoire.models import Work
from licensing.tariffs import services
from licensing.tariffs.models import TariffVersion
from tests.accounts import people
from tests.licensing.parties import declaration, determined, licence
from tests.licensing.rate_setting import TODAY, Clock, Parties, parties
from tests.licensing.tariff_documents import charge, tariff
from tests.licensing.test_tariff_pages import signed_in, text

pytestmark = pytest.mark.django_db
PER_TOKEN = charge("per_unit", "tokens", per=1000, price="2")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def all_of(db: Any, clock: Clock) -> Parties:
    made = parties()
    determined(made.society, tariff(PER_TOKEN, valid_from="2025-01-01"))
    return made


def firm(all_of: Parties, name: str, tier: str = "", **terms: Any) -> Licence:
    licensee = Organisation.objects.filter(ref=name).first() or people.organisation(name, "licensee")
    version = TariffVersion.objects.filter(status="determined").latest("pk")
    wanted = {"ref": f"L-{Licence.objects.count()}", "tier": tier, "valid_from": datetime.date(2025, 1, 1)} | terms
    return licence(all_of.society, licensee, version, **wanted)


def used(
    of: Licence, units: int, start: str = "2026-01-01", end: str = "2026-04-01", value: str = "a", **fields: Any
) -> Any:
    """One declaration of so many tokens of one identifier."""
    made = declaration(of, start, end, **fields)
    day = datetime.date.fromisoformat(end) - datetime.timedelta(days=1)
    DeclaredUse.objects.create(
        declaration=made, scheme="url", value=value, kind="web", use="train", unit="token", used_on=day, status="unmatched",
        units=units, lines=1,
    )  # fmt: skip
    return made


def draft(all_of: Parties, *charges: dict[str, Any], **keys: Any) -> TariffVersion:
    document = tariff(*charges, **({"version": 9, "valid_from": "2027-03-01"} | keys))
    return services.draft(actor=all_of.manager, society=all_of.society, document=document)


def predicted(version: TariffVersion) -> dict[str, Any]:
    return effects.predicted(version, today=TODAY)


def test_the_same_use_is_rated_as_it_was_and_under_the_draft(all_of: Parties) -> None:
    for name, tier, units in (
        ("A", "small", 1000),
        ("B", "small", 3000),
        ("C", "small", 5000),
        ("D", "large", 1_000_000),
    ):
        used(firm(all_of, name, tier), units)
    for name in ("E", "F"):
        used(firm(all_of, name, "large"), 1_000_000)
    version = draft(
        all_of,
        charge("per_unit", "small", per=1000, price="1", licensee_tiers=["small"]),
        charge("per_unit", "large", per=1000, price="3", licensee_tiers=["large"]),
    )
    assert predicted(version) == {
        "since": "2025-11-24", "until": "2026-11-24", "currency": "KRW", "licences": 6, "left_out": 0,
        "before": 9 * 2 + 3 * 2000, "after": 9 * 1 + 3 * 3000,
        "by_tier": [
            {"tiers": ["large"], "licences": 3, "before": 6000, "after": 9000},
            {"tiers": ["small"], "licences": 3, "before": 18, "after": 9},
        ],
    }  # fmt: skip


def test_declarations_of_one_period_count_together_and_each_period_by_itself(all_of: Parties) -> None:
    for name in ("A", "B", "C"):
        of = firm(all_of, name)
        used(of, 400)
        used(of, 400, value="b", sha256="0" * 64)
        used(of, 800, "2026-04-01", "2026-07-01")
    # a thousand begun costs ₩10: 800 and 800 tokens are two packages, never 400, 400 and 800
    assert predicted(draft(all_of, charge("package", size=1000, price="10")))["after"] == 3 * 2 * 10


def test_distinct_works_and_declared_bases_are_counted_exactly(all_of: Parties) -> None:
    work = Work.objects.create(society=all_of.society, ref="W", title="T", kind="web")
    for name in ("A", "B", "C"):
        of = firm(all_of, name)
        made = used(of, 10, bases={"revenue": 1_000_000})
        for use in ("train", "index"):
            DeclaredUse.objects.create(
                declaration=made, work=work, kind="web", use=use, unit="token", used_on=TODAY, status="licensed", basis="licence",
                units=5, lines=1,
            )  # fmt: skip
    per_work, share = charge("per_work", price="100"), charge("percentage", base="revenue", percent="1")
    figures = predicted(draft(all_of, per_work, share))
    assert figures["after"] == 3 * (2 * 100 + 10_000), "a work used in two ways counts once"


@pytest.mark.parametrize(
    "left",
    [
        {"status": "submitted"},
        {"sandbox": True},
        {"start": "2025-11-23", "end": "2026-01-01"},  # began before the year
        {"start": "2026-10-01", "end": "2026-11-25"},  # is not over
    ],
)
def test_only_accepted_live_use_of_the_last_year_counts(all_of: Parties, left: dict[str, Any]) -> None:
    for name in ("A", "B", "C"):
        used(firm(all_of, name), 1000)
    other = firm(all_of, "D")
    used(other, 1_000_000, **left)
    figures = predicted(draft(all_of, charge("per_unit", per=1000, price="1")))
    assert (figures["before"], figures["after"], figures["licences"]) == (6, 3, 3)


def test_what_either_version_cannot_price_is_left_out_of_both_and_counted(all_of: Parties) -> None:
    for name in ("A", "B", "C", "D"):
        used(firm(all_of, name), 1000)
    unpriced = draft(all_of, charge("per_unit", per=1, price="1", unit="page"))
    assert predicted(unpriced)["withheld"] is True, "nothing can be priced, so nobody is left"
    used(firm(all_of, "E"), 1000, "2025-12-01", "2026-01-01")
    TariffVersion.objects.filter(status="determined").update(valid=DateRange(datetime.date(2025, 1, 1), None))
    yearly = draft(all_of, charge("flat", amount="12"), PER_TOKEN, version=10, period_months=3)
    figures = predicted(yearly)
    assert (figures["left_out"], figures["licences"], figures["after"]) == (1, 4, 4 * 14)


def test_each_period_is_rated_under_the_version_that_was_in_force_then(all_of: Parties) -> None:
    determined(all_of.society, tariff(charge("per_unit", per=1000, price="7"), version=2, valid_from="2026-04-01"))
    for name in ("A", "B", "C"):
        of = firm(all_of, name)
        used(of, 1000, "2026-01-01", "2026-04-01")
        used(of, 1000, "2026-04-01", "2026-07-01")
    assert predicted(draft(all_of, PER_TOKEN))["before"] == 3 * (2 + 7)


# No firm is to be seen


def test_fewer_than_three_firms_have_no_figures(all_of: Parties) -> None:
    for name in ("A", "A", "A", "B"):
        used(firm(all_of, name), 1000)
    assert predicted(draft(all_of, PER_TOKEN)) == {
        "since": "2025-11-24", "until": "2026-11-24", "currency": "KRW", "withheld": True,
    }  # fmt: skip


def test_tiers_with_few_firms_stand_together(all_of: Parties) -> None:
    tiers = {"small": "ABCD", "large": "E", "research": "FG"}
    for tier, names in tiers.items():
        for name in names:
            used(firm(all_of, name, tier), 1000)
    rows = predicted(draft(all_of, PER_TOKEN))["by_tier"]
    assert [(row["tiers"], row["licences"]) for row in rows] == [(["large", "research"], 3), (["small"], 4)]


def test_one_firm_apart_is_not_told_by_the_difference_to_the_total(all_of: Parties) -> None:
    for name in "ABCD":
        used(firm(all_of, name, "small"), 1000)
    used(firm(all_of, "E", "large"), 1_000_000)
    assert [row["tiers"] for row in predicted(draft(all_of, PER_TOKEN))["by_tier"]] == [["large", "small"]]


ROWS = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.sets(st.integers(1, 12), min_size=1), min_size=1)


@given(ROWS)
def test_whoever_stands_together_the_sums_stay_and_no_row_shows_few_firms(firms: dict[str, set[int]]) -> None:
    rows = [_Row([tier], set(of), set(of), 10 * len(of), 7 * len(of)) for tier, of in firms.items()]
    everybody = set().union(*firms.values())
    merged = merge(rows)
    assert sum(row.before for row in merged) == sum(row.before for row in rows)
    assert sum(row.after for row in merged) == sum(row.after for row in rows)
    assert sorted(tier for row in merged for tier in row.tiers) == sorted(firms)
    if len(everybody) >= FEWEST_FIRMS:
        assert all(len(row.firms) >= FEWEST_FIRMS for row in merged)


# Who works it out, and when


def test_the_society_works_it_out_while_it_is_a_draft_and_it_is_published_with_it(all_of: Parties) -> None:
    for name in ("A", "B", "C"):
        used(firm(all_of, name), 1000)
    version = draft(all_of, charge("per_unit", per=1000, price="1"))
    client = signed_in(all_of.proposer)
    shown = text(client.post(f"/tariffs/versions/{version.pk}/effect/", follow=True))
    for said in ("The predicted effect is worked out", "₩6", "₩3", "without a tier"):
        assert said in shown, said
    version.refresh_from_db()
    assert version.figures["after"] == 3
    all_of.publish(version)
    public = text(signed_in(all_of.decider).get(f"/consultations/{version.pk}/"))
    assert "₩6" in public and "-₩3" in public.replace("−", "-")
    with pytest.raises(Conflict):
        effects.work_out(actor=all_of.manager, version=version)


def test_nobody_else_works_it_out(all_of: Parties) -> None:
    version = draft(all_of, PER_TOKEN)
    for actor in (all_of.commissioner, people.actor(people.organisation("OTHER", "society"), "licensing")):
        with pytest.raises((Forbidden, NotFound)):
            effects.work_out(actor=actor, version=version)
    assert not TariffVersion.objects.get(pk=version.pk).figures


def test_another_text_needs_other_figures(all_of: Parties) -> None:
    version = draft(all_of, PER_TOKEN)
    effects.work_out(actor=all_of.manager, version=version)
    changed = services.revise(actor=all_of.manager, version=version, document=tariff(PER_TOKEN, version=9, minimum="5"))
    assert changed.figures == {}


def test_more_declared_use_asks_no_more_of_the_database(all_of: Parties) -> None:
    version = draft(all_of, PER_TOKEN, charge("per_work", price="1"))

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            predicted(version)
        return len(asked)

    for name in ("A", "B", "C"):
        used(firm(all_of, name), 1000)
    few = queries()
    for name in ("D", "E", "F", "G"):
        of = firm(all_of, name)
        for n, month in enumerate(("02", "03", "05")):
            used(of, 1000, f"2026-{month}-01", f"2026-{month}-28", value=f"v{n}")
    assert queries() == few <= 5
