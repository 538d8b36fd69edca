"""A firm is asked for the figures that its tariff prices, and for no others."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from licensing import terms
from licensing.licences import quantities
from licensing.licences.quantities import Units
from licensing.tariffs.core import Quantity, Schedule, parse, rate
from tests.licensing.tariff_documents import charge, tariff


def schedule(*charges: dict[str, Any]) -> Schedule:
    return parse(tariff(*charges))


def labels(of: tuple[Units, ...]) -> list[tuple[str, list[str], list[str], bool]]:
    return [(each.unit, each.uses, each.kinds, each.works) for each in of]


def test_what_the_same_charges_price_alike_shares_one_figure() -> None:
    one = schedule(charge("per_unit", per=1000, price="1", uses=["train", "ground"], kinds=["web", "book"]))
    asked = quantities.asked(one, uses=["train", "ground"], kinds=["*"], tier=None)
    assert labels(asked.units) == [("token", ["train", "ground"], ["book", "web"], False)]


def test_different_prices_for_two_uses_ask_for_two_figures() -> None:
    two = schedule(
        charge("per_unit", "t", per=1000, price="1", uses=["train"]),
        charge("per_unit", "g", per=1000, price="4", uses=["ground"]),
    )
    asked = quantities.asked(two, uses=["train", "ground"], kinds=["web"], tier=None)
    assert labels(asked.units) == [("token", ["train"], ["web"], False), ("token", ["ground"], ["web"], False)]
    only = quantities.asked(two, uses=["ground"], kinds=["web"], tier=None)
    assert labels(only.units) == [("token", ["ground"], ["web"], False)]


def test_what_another_size_pays_for_is_not_asked() -> None:
    sized = schedule(
        charge("flat", amount="1000", licensee_tiers=["small"]),
        charge("percentage", base="revenue", percent="2", licensee_tiers=["large"]),
        charge("per_unit", "people", count="subscribers", per=1, price="3", licensee_tiers=["large"]),
    )
    assert quantities.asked(sized, uses=["train"], kinds=["*"], tier="small").nothing
    large = quantities.asked(sized, uses=["train"], kinds=["*"], tier="large")
    assert (large.counts, large.bases) == (("subscribers",), ("revenue",))
    assert quantities.tiers_of(sized) == ["large", "small"]


def test_works_join_the_row_whose_units_they_are_of() -> None:
    both = schedule(charge("per_unit", per=1000, price="1"), charge("per_work", price="5"))
    asked = quantities.asked(both, uses=["train"], kinds=["book"], tier=None)
    tokens, works = asked.units
    row = {"use": "train", "kind": "book", "unit": "token", "units": 5000, "works": 7}
    assert quantities.rows({tokens: 5000, works: 7}) == [row]
    assert quantities.figures(asked, [row]) == {tokens: 5000, works: 7}


def test_works_alone_are_a_row_that_no_charge_for_units_prices() -> None:
    by_page = schedule(charge("per_unit", per=1, price="100", unit="work"), charge("per_work", price="5"))
    asked = quantities.asked(by_page, uses=["train"], kinds=["book"], tier=None)
    works = next(each for each in asked.units if each.works)
    (row,) = quantities.rows({works: 7})
    assert rate(by_page, quantities=[Quantity(**row)]).amount == 35


MODELS = st.sampled_from(["per_unit", "per_work"])
CODES = st.lists(st.sampled_from([*terms.USES]), min_size=1, max_size=3, unique=True)
KINDS = st.lists(st.sampled_from(["web", "book", "news"]), min_size=1, max_size=3, unique=True)


@given(
    charges=st.lists(st.tuples(MODELS, CODES, KINDS, st.sampled_from(["token", "page"])), min_size=1, max_size=4),
    uses=CODES,
    kinds=KINDS,
    data=st.data(),
)
def test_figures_come_back_as_they_were_entered_and_every_one_is_priced(
    charges: list[tuple[str, list[str], list[str], str]], uses: list[str], kinds: list[str], data: st.DataObject
) -> None:
    documents = []
    for n, (model, for_uses, for_kinds, unit) in enumerate(charges):
        rates = {"per": 1, "price": "1", "unit": unit} if model == "per_unit" else {"price": "1"}
        documents.append(charge(model, f"c{n}", uses=for_uses, kinds=for_kinds, **rates))
    read = schedule(*documents)
    asked = quantities.asked(read, uses=uses, kinds=kinds, tier="")
    entered = {of: data.draw(st.integers(1, 99)) for of in asked.units if not of.works}
    rows = quantities.rows(entered)
    assert quantities.figures(asked, rows) == entered
    rating = rate(read, quantities=[Quantity(**row) for row in rows])
    assert rating.unpriced == ()
    assert bool(rating.lines) == bool(entered)
