"""The law is data: public, the same for all, changed by nobody; a new version ends the open one; papers need two people."""

from __future__ import annotations

import copy
import datetime
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.identity.core import SYSTEM, Conflict, Forbidden, Refusal
from royalties.payees import services
from royalties.payees.core import withhold
from royalties.payees.models import TaxPaper, TaxRule
from royalties.payees.shipped import shipped
from tests.royalties.payees_world import Payers, make_payers
from tests.royalties.test_payees_details import state

pytestmark = pytest.mark.django_db
MAY, NEXT = datetime.date(2026, 5, 1), datetime.date(2027, 1, 1)


@pytest.fixture
def payers() -> Payers:
    return make_payers()


def business(**changes: Any) -> dict[str, Any]:
    found = [document for document, rule in shipped() if rule.ref == "KR-BUSINESS"][-1]
    return copy.deepcopy(found) | changes


def test_the_shipped_law_is_in_force() -> None:
    found = withhold(
        rules=services.tax_rules(MAY), tax_status="kr_business", residence="KR", on=MAY, currency="KRW", gross=1_234_567
    )
    assert (found.net, found.rule) == (1_193_837, "KR-BUSINESS v2")
    assert {rule.applies_to for rule in services.tax_rules(MAY, "US").rules} == {"us_foreign", "us_undocumented"}


def test_a_new_version_ends_the_open_one_on_its_first_day(tmp_path: Path) -> None:
    """A rate of 5 % from 2027: the day before still has 3 %."""
    taxes = [{"name": "income tax", "percent": "5"}, {"name": "local income tax", "percent": "10", "of": "income tax"}]
    path, out = tmp_path / "rule.json", io.StringIO()
    path.write_text(json.dumps(business(version=3, valid_from="2027-01-01", taxes=taxes)))
    for expected in ((1, 0), (0, 1)):
        out = io.StringIO()
        call_command("import_tax_rules", str(path), "--json", stdout=out)
        said = json.loads(out.getvalue())
        assert (said["created"], said["unchanged"]) == expected
    for on, tax in ((NEXT - datetime.timedelta(days=1), 30_000), (NEXT, 50_000)):
        rules = services.tax_rules(on)
        found = withhold(rules=rules, tax_status="kr_business", residence="KR", on=on, currency="KRW", gross=1_000_000)
        assert found.lines[0].amount == tax


def test_no_society_edits_the_law_and_nobody_edits_a_version(payers: Payers) -> None:
    with pytest.raises(Forbidden):
        services.import_tax_rule(actor=payers.first, document=business(version=9))
    with pytest.raises(Conflict) as caught:
        services.import_tax_rule(actor=SYSTEM, document=business(income="something else"))
    assert caught.value.code == "tax_rule_exists"
    with pytest.raises(Conflict) as caught:
        services.import_tax_rule(
            actor=SYSTEM, document=business(version=9, valid_from="2020-01-01", valid_to="2020-02-01")
        )
    assert caught.value.code == "tax_rules_overlap"
    for sql in (
        "UPDATE royalties_taxrule SET document = '{}'",
        "UPDATE royalties_taxrule SET valid = daterange('2019-01-01', NULL) WHERE upper(valid) IS NOT NULL",
        "DELETE FROM royalties_taxrule",
    ):
        with pytest.raises(IntegrityError, match="kept"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)


def test_a_certificate_counts_once_a_second_person_approved_it(payers: Payers) -> None:
    holder = payers.holder("H-1", country="JP")
    details = payers.usable(holder, account="1234567", bank="BOTKJPJT", residence="JP", tax_status="non_resident")
    today = timezone.localdate()
    paper = services.request_paper(
        actor=payers.first, payee=details.payee, kind="treaty", country="JP", valid_from=today,
        valid_to=today + datetime.timedelta(days=365), percent=Decimal("5.5"),
    )  # fmt: skip
    assert state(payers)[holder.pk] == (details.pk, None, "")
    with pytest.raises(Forbidden):
        services.decide_paper(actor=payers.first, paper=paper, approve=True)
    services.decide_paper(actor=payers.second, paper=paper, approve=True)
    assert state(payers)[holder.pk] == (details.pk, paper.pk, "")
    found = withhold(
        rules=services.tax_rules(today), tax_status="non_resident", residence="JP", on=today, currency="KRW", gross=1_000_000,
        treaty=services.treaties([paper.pk])[paper.pk],
    )  # fmt: skip
    assert (found.withheld, found.treaty_id) == (50_000 + 5_000, paper.pk)
    services.revoke_paper(actor=payers.first, paper=paper, reason="moved to Korea")
    assert state(payers)[holder.pk] == (details.pk, None, "") and services.treaties([paper.pk]) == {}


def test_a_w8_ends_with_the_third_year_after_its_signature(payers: Payers) -> None:
    payee = services.payee_of(payers.holder("H-1"))
    american = make_payers("US-SOCIETY", country="US")
    other = services.payee_of(american.holder("H-9"))
    paper = services.request_paper(
        actor=american.first, payee=other, kind="w8ben", country="KR", valid_from=datetime.date(2026, 3, 4)
    )
    assert paper.valid.upper == datetime.date(2030, 1, 1)
    with pytest.raises(Refusal) as caught:
        services.request_paper(actor=payers.first, payee=payee, kind="treaty", country="JP", valid_from=MAY)
    assert caught.value.pointer == "/valid_to"
    with pytest.raises(Refusal) as caught:
        services.request_paper(
            actor=payers.first, payee=payee, kind="treaty", country="BR", valid_from=MAY, valid_to=NEXT
        )
    assert caught.value.code == "no_treaty_rate"


def test_what_a_paper_says_never_changes(payers: Payers) -> None:
    payee = services.payee_of(payers.holder("H-1"))
    services.request_paper(actor=payers.first, payee=payee, kind="treaty", country="JP", valid_from=MAY, valid_to=NEXT)
    for sql in ("UPDATE royalties_taxpaper SET percent = 0", "DELETE FROM royalties_taxpaper"):
        with pytest.raises(IntegrityError, match="kept"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    assert TaxPaper.objects.get().percent is None


def test_everybody_reads_the_tax_rules_with_their_sources() -> None:
    client = Client()
    assert "KR-BUSINESS" in client.get("/tax-rules/").content.decode()
    for rule in TaxRule.objects.all():
        page = client.get(f"/tax-rules/{rule.pk}/").content.decode()
        assert rule.document["sources"][0]["url"].replace("&", "&amp;") in page
