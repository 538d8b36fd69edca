"""Withholding to the won, as the law of the day says: the worked examples, each rule's edges on their dates, sums that hold."""

from __future__ import annotations

import copy
import datetime
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.identity.core import Refusal
from royalties.payees.core import TaxRules, Treaty, Withholding, last_day_of_w8, parse, read_text, withhold
from royalties.payees.shipped import shipped

DAY = datetime.timedelta(days=1)
MAY = datetime.date(2026, 5, 1)
LAW = [rule for _document, rule in shipped()]
KR, US = (TaxRules(country, tuple(rule for rule in LAW if rule.jurisdiction == country)) for country in ("KR", "US"))


def kr(status: str, gross: int, on: datetime.date = MAY, residence: str = "KR", **more: Any) -> Withholding:
    return withhold(rules=KR, tax_status=status, residence=residence, on=on, currency="KRW", gross=gross, **more)


def us(gross: int, on: datetime.date = MAY, residence: str = "KR", **more: Any) -> Withholding:
    return withhold(
        rules=US, tax_status="non_resident", residence=residence, on=on, currency="USD", gross=gross, **more
    )


def amounts(found: Withholding) -> dict[str, int]:
    return {line.name: line.amount for line in found.lines}


def test_the_worked_example_of_business_income() -> None:
    """domain.md, Payout: ₩1,234,567 → 37,030 + 3,700 → ₩1,193,837 net; each truncated to ₩10."""
    found = kr("kr_business", 1_234_567)
    assert amounts(found) == {"income tax": 37_030, "local income tax": 3_700}
    assert (found.withheld, found.net) == (40_730, 1_193_837)
    assert found.lines[1].base == 37_030  # the tax on a tax is of the truncated one


def test_small_amounts_of_business_income_are_collected_since_july_2024() -> None:
    """소득세법 제86조: below ₩1,000 of tax nothing was collected; since 2024-07-01 personal services are left out."""
    eve = datetime.date(2024, 6, 30)
    assert kr("kr_business", 33_000, on=eve).withheld == 0  # 990
    assert kr("kr_business", 33_000, on=eve).reasons == ("small_amount",)
    assert amounts(kr("kr_business", 33_334, on=eve)) == {"income tax": 1_000, "local income tax": 100}
    assert amounts(kr("kr_business", 33_000, on=eve + DAY)) == {"income tax": 990, "local income tax": 90}


def test_other_income_counts_sixty_percent_as_spent() -> None:
    """20 % and 10 % of it on what is left: 8.8 % of the payment."""
    found = kr("kr_other", 1_000_000)
    assert amounts(found) == {"income tax": 80_000, "local income tax": 8_000} and found.net == 912_000
    assert found.lines[0].base == 400_000


@pytest.mark.parametrize(("gross", "withheld"), [(125_000, 0), (125_001, 11_000), (125_003, 11_000)])
def test_other_income_of_fifty_thousand_a_case_is_not_taxed(gross: int, withheld: int) -> None:
    """소득세법 제84조: ₩125,000 less 60 % is ₩50,000, not taxed; one won more is."""
    assert kr("kr_other", gross).withheld == withheld


def test_korean_organisations_and_the_exempt_are_not_withheld_from() -> None:
    assert kr("kr_organisation", 1_000_000).net == kr("exempt", 1_000_000).net == 1_000_000
    assert kr("kr_organisation", 1_000_000).reasons == ("not_withheld",)


def test_a_non_resident_is_withheld_22_percent() -> None:
    """20 % and local 10 % of it (소득세법 제156조)."""
    found = kr("non_resident", 1_000_000, residence="FR")
    assert amounts(found) == {"income tax": 200_000, "local income tax": 20_000} and found.net == 780_000


@pytest.mark.parametrize(
    ("country", "income", "local"),
    [("US", 100_000, 10_000), ("JP", 90_900, 9_090)],
)
def test_each_treaty_says_whether_its_rate_includes_local_tax(country: str, income: int, local: int) -> None:
    """Korea–US: 10 % and local tax on top, 11 % in all. Korea–Japan: 10 % in all, of which the income tax is ten elevenths."""
    found = kr("non_resident", 1_000_000, residence=country, treaty=Treaty("treaty", country, MAY, None))
    assert amounts(found) == {"income tax": income, "local income tax": local}
    assert "treaty" in found.reasons


def test_a_certificate_counts_on_its_days_only() -> None:
    """A treaty rate needs a certificate valid on the payment date (domain.md, Payout)."""
    paper = Treaty("treaty", "JP", MAY, MAY + 31 * DAY, id=7)
    for on, rate, used in (
        (MAY - DAY, 220_000, None), (MAY, 99_990, 7), (MAY + 30 * DAY, 99_990, 7), (MAY + 31 * DAY, 220_000, None),
    ):  # fmt: skip
        found = kr("non_resident", 1_000_000, on=on, residence="JP", treaty=paper)
        assert (found.withheld, found.treaty_id) == (rate, used)
    assert "paper_not_in_force" in kr("non_resident", 1, on=MAY - DAY, residence="JP", treaty=paper).reasons


def test_a_certificates_own_rate_goes_before_the_table_and_never_raises_the_tax() -> None:
    own = Treaty("treaty", "FR", MAY, None, rate=Fraction(5, 100), local_included=True)
    assert kr("non_resident", 1_100_000, residence="FR", treaty=own).withheld == 50_000 + 5_000
    high = Treaty("treaty", "FR", MAY, None, rate=Fraction(40, 100), local_included=False)
    assert kr("non_resident", 1_000_000, residence="FR", treaty=high).withheld == 220_000
    free = Treaty("treaty", "FR", MAY, None, rate=Fraction(0))
    assert kr("non_resident", 1_000_000, residence="FR", treaty=free).withheld == 0


def test_a_country_without_a_known_treaty_pays_the_general_rate() -> None:
    found = kr("non_resident", 1_000_000, residence="BR", treaty=Treaty("treaty", "BR", MAY, None))
    assert found.withheld == 220_000 and "no_treaty_rate" in found.reasons


def test_a_paper_of_the_other_country_does_nothing() -> None:
    assert kr("non_resident", 1_000_000, residence="US", treaty=Treaty("w8ben", "US", MAY, None)).withheld == 220_000


def test_a_us_payer_withholds_30_percent_unless_a_w8_claims_a_treaty() -> None:
    """26 U.S.C. §§ 1441, 1442: 30 % of US-source royalties; Korea–US, art. 14(2): 10 % for copyrights."""
    assert us(1_000_00).withheld == 300_00
    assert us(1_000_00, treaty=Treaty("w8ben", "KR", MAY, None)).withheld == 100_00
    assert us(1_000_00, treaty=Treaty("w8bene", "KR", MAY, None)).withheld == 100_00
    assert us(1_000_00, treaty=Treaty("w8ben", "KR", MAY, None, claims=False)).withheld == 300_00


def test_a_w9_frees_and_its_absence_costs_24_percent() -> None:
    """26 U.S.C. § 3406: backup withholding of those who are not documented at all."""
    assert us(1_000_00, residence="US", treaty=Treaty("w9", "US", MAY, None)).withheld == 0
    backup = us(1_000_00, residence="US")
    assert amounts(backup) == {"US backup withholding": 240_00} and backup.reasons == ("no_w9",)
    assert us(1_000_00, residence="").withheld == 240_00


def test_a_w8_counts_until_the_end_of_the_third_year_after_its_signature() -> None:
    """Treas. Reg. § 1.1441-1(e)(4)(ii)(A)."""
    signed = datetime.date(2023, 3, 4)
    last = last_day_of_w8(signed)
    assert last == datetime.date(2026, 12, 31)
    paper = Treaty("w8ben", "KR", signed, last + DAY)
    assert us(1_000_00, on=last, treaty=paper).withheld == 100_00
    assert us(1_000_00, on=last + DAY, treaty=paper).withheld == 300_00


def test_nothing_is_paid_untaxed_for_want_of_a_rule() -> None:
    with pytest.raises(Refusal) as caught:
        kr("kr_business", 1_000, on=datetime.date(2010, 1, 1))
    assert caught.value.code == "no_tax_rule"
    for status in ("", "unknown"):
        with pytest.raises(Refusal):
            kr(status, 1_000)


STATUSES = ("kr_business", "kr_other", "kr_organisation", "non_resident", "exempt")


@given(
    gross=st.integers(0, 10**15),
    status=st.sampled_from(STATUSES),
    country=st.sampled_from(["KR", "US", "JP", "FR", ""]),
    rate=st.none() | st.fractions(0, Fraction(1, 2)),
    included=st.booleans(),
    kind=st.sampled_from(["treaty", "w8ben", "w9"]),
    rules=st.sampled_from([KR, US]),
)
def test_gross_is_net_and_taxes_and_no_tax_exceeds_its_rate(
    gross: int, status: str, country: str, rate: Fraction | None, included: bool, kind: str, rules: TaxRules
) -> None:
    """For every payment: gross = net + Σ taxes, each a whole number of minor units (KRW: of ₩10), none above base × rate."""
    paper = Treaty(kind, country, MAY, None, rate=rate, local_included=included)
    found = withhold(
        rules=rules, tax_status=status, residence=country, on=MAY, currency="KRW", gross=gross, treaty=paper
    )
    assert found.gross == found.net + found.withheld and found.withheld == sum(line.amount for line in found.lines)
    assert 0 <= found.net <= gross
    step = 10 if rules is KR else 1
    for line in found.lines:
        exact = line.base * line.rate
        assert line.amount % step == 0 and line.amount <= exact < line.amount + step
    without = withhold(rules=rules, tax_status=status, residence=country, on=MAY, currency="KRW", gross=gross)
    if kind != "w9":
        assert found.withheld <= without.withheld + 0 or not country or rules is US  # no paper ever raises the tax


def document(**changes: Any) -> dict[str, Any]:
    found = copy.deepcopy(next(each for each, rule in shipped() if rule.ref == "KR-OTHER"))
    return found | changes


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"expence_percent": "60"}, "/expence_percent"),
        ({"expense_percent": 60}, "/expense_percent"),
        ({"expense_percent": "160"}, "/expense_percent"),
        ({"applies_to": "everybody"}, "/applies_to"),
        ({"valid_from": "2026-13-01"}, "/valid_from"),
        ({"valid_to": "2018-01-01"}, "/valid_to"),
        ({"truncate_to": {"KRW": 0}}, "/truncate_to/KRW"),
        ({"truncate_to": {"won": 10}}, "/truncate_to/won"),
        ({"taxes": [{"name": "a", "percent": "60"}]}, "/taxes"),
        ({"taxes": [{"name": "a", "percent": "3"}, {"name": "b", "percent": "3"}]}, "/taxes"),
        ({"taxes": [{"name": "a", "percent": "3", "of": "b"}]}, "/taxes/0/of"),
        ({"sources": []}, "/sources"),
        ({"sources": [{"name": "law", "url": "http://example.org"}]}, "/sources/0/url"),
        ({"treaties": {"JP": {"percent": "10"}}}, "/treaties/JP/local_tax_included"),
        ({"version": True}, "/version"),
    ],
)  # fmt: skip
def test_a_rule_is_read_strictly(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse(document(**changes))
    assert pointer in [error["pointer"] for error in caught.value.errors]


def test_a_key_that_stands_twice_is_refused() -> None:
    with pytest.raises(Refusal):
        read_text('{"rule": "A", "rule": "B"}')


def test_every_shipped_rule_names_its_source() -> None:
    assert {rule.jurisdiction for rule in LAW} == {"KR", "US"}
    for rule in LAW:
        assert rule.sources and all(source.url.startswith("https://") for source in rule.sources)
