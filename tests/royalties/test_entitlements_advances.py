"""Advances, and what goes to sister societies: in the ledger by two people, exact to the won, once."""

from __future__ import annotations

import datetime
import io
from contextlib import suppress
from decimal import Decimal
from itertools import combinations

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.identity.core import Conflict, Forbidden, NotFound, Refusal
from accounts.organisations.models import Organisation
from licensing.intake.services import keep
from royalties.bank import services as bank
from royalties.bank.models import BankStatement, Entry
from royalties.entitlements import services
from royalties.entitlements.core import cuts
from royalties.entitlements.models import SisterAgreement, SisterMember, SisterStatement
from royalties.entitlements.services.sisters import COLUMNS, reconciled
from tests.licensing import parties
from tests.royalties.entitlements_world import JULY, JUNE, Estate, make_estate
from tests.royalties.payees_world import make_payers

pytestmark = pytest.mark.django_db
AUGUST = datetime.date(2026, 8, 1)


@pytest.fixture
def estate() -> Estate:
    return make_estate()


# Advances.
def test_an_advance_is_granted_by_two_taxed_when_paid_and_recouped_from_what_comes(estate: Estate) -> None:
    """₩1,000,000 ahead to a Korean author: 3.3 % is withheld at once; half of what comes later pays it back; 100,000 stay."""
    kim = estate.payers.holder("KIM")
    estate.payers.usable(kim)
    estate.owe(kim, 2_000_000)  # so that the bank has money; it was owed before the advance
    estate.pay(kim, 1_000)
    advance = estate.advance(kim, 1_000_000, paid_on=JULY, ppm=500_000, stays=100_000)
    assert estate.balance("advance", kim.pk) == -1_000_000
    assert (estate.balance("tax:income tax"), estate.balance("tax:local income tax")) == (30_000, 3_000)
    assert estate.transfer("before", on=JULY) is None  # what was owed before is not touched
    estate.owe(kim, 300_001, AUGUST)
    estate.transfer("august", on=AUGUST)
    advance.refresh_from_db()
    assert (advance.recouped, advance.open) == (150_000, 850_000)
    estate.transfer("again", on=AUGUST)
    advance.refresh_from_db()
    assert advance.recouped == 150_000  # the same money is not counted twice
    estate.owe(kim, 9_000_000, AUGUST)
    estate.transfer("all", on=AUGUST)
    advance.refresh_from_db()
    assert (advance.status, advance.open, estate.balance("advance", kim.pk)) == ("recouped", 0, 0)
    assert services.problems() == []


def test_nobody_grants_their_own_request_and_only_what_is_due_is_recorded_as_paid(estate: Estate) -> None:
    kim = estate.payers.holder("KIM")
    asked = services.request_advance(
        actor=estate.payers.first, society=estate.society, holder=kim, currency="KRW", amount=1000, reason="rent"
    )
    with pytest.raises(Forbidden):
        services.decide_advance(actor=estate.payers.first, advance=asked)
    granted = services.decide_advance(actor=estate.payers.second, advance=asked)
    paid = {"actor": estate.payers.first, "advance": granted, "on": JUNE, "bank_reference": "B-1"}
    with pytest.raises(Refusal) as refused:
        services.record_advance_paid(**paid, paid=1000)
    assert refused.value.code == "no_payee"  # without payee data nobody knows the tax
    estate.payers.usable(kim, tax_status="exempt")
    with pytest.raises(Refusal) as refused:
        services.record_advance_paid(**paid, paid=999)
    assert refused.value.code == "other_amount_paid"
    with pytest.raises(Conflict):
        services.record_advance_paid(**paid, paid=1000)  # the bank account has no money
    estate.owe(kim, 5000)
    services.record_advance_paid(**paid, paid=1000)
    assert services.record_advance_paid(**paid, paid=1000).paid_on == JUNE  # again: nothing more
    assert estate.balance("advance", kim.pk) == -1000


def test_an_advance_of_a_society_abroad_is_taxed_by_the_law_there() -> None:
    """A US payer withholds 30 % of what goes abroad without a form; Korean rules are not asked."""
    estate = Estate(make_payers("US-CMO", country="US"))
    kim = estate.payers.holder("KIM")
    estate.payers.usable(kim, residence="BR", tax_status="non_resident", currency="USD")
    asked = services.request_advance(
        actor=estate.payers.first, society=estate.society, holder=kim, currency="USD", amount=100_00, reason="rent"
    )
    granted = services.decide_advance(actor=estate.payers.second, advance=asked)
    assert [(line.name, line.amount) for line in services.withheld_from(granted, JULY).lines] == [
        ("US tax on foreign persons", 30_00)
    ]


def test_a_payment_of_the_bank_stands_for_one_advance(estate: Estate) -> None:
    kim = estate.payers.holder("KIM")
    estate.payers.usable(kim, tax_status="exempt")
    estate.owe(kim, 5000)
    entry = outgoing(estate, 700)
    for amount in (700, 701):
        asked = services.request_advance(
            actor=estate.payers.first, society=estate.society, holder=kim, currency="KRW", amount=amount, reason="rent"
        )
        granted = services.decide_advance(actor=estate.payers.second, advance=asked)
        if amount == 700:
            services.record_advance_paid(actor=estate.payers.first, advance=granted, on=JUNE, entry=entry)
            entry.refresh_from_db()
            assert entry.left == 0
            continue
        with pytest.raises(Refusal):
            services.record_advance_paid(actor=estate.payers.first, advance=granted, on=JUNE, entry=entry)


def outgoing(estate: Estate, amount: int) -> Entry:
    account = bank.open_account(
        actor=estate.payers.first,
        society=estate.society,
        name="Main",
        bank="Shinhan",
        number="110222333444",
        currency="KRW",
    )
    file = estate.paper("statement")
    statement = BankStatement.objects.create(
        account=account, file=file, place=1, opening=amount, closing=0, first_day=JUNE, last_day=JUNE, debits=amount
    )
    return Entry.objects.create(
        society=estate.society, account=account, statement=statement, position=1, sign=-1, amount=amount, currency="KRW",
        booked_on=JUNE, value_on=JUNE, bank_ref="E-1",
    )  # fmt: skip


def test_writing_off_takes_two_people_and_the_society_bears_it(estate: Estate) -> None:
    kim = estate.payers.holder("KIM")
    estate.payers.usable(kim, tax_status="exempt")
    estate.owe(kim, 5000)
    advance = estate.advance(kim, 1000)
    services.request_write_off(actor=estate.payers.first, advance=advance, reason="gone away")
    with pytest.raises(Forbidden):
        services.decide_write_off(actor=estate.payers.first, advance=advance)
    done = services.decide_write_off(actor=estate.payers.second, advance=advance)
    assert (done.status, done.open, estate.balance("borne")) == ("written_off", 0, -1000)
    assert services.problems() == []


def test_a_write_off_is_of_what_was_open_when_it_was_asked_for(estate: Estate) -> None:
    """Given a part recouped meanwhile; then the second person looks at something else than was asked, and has to be asked anew."""
    kim = estate.payers.holder("KIM")
    estate.payers.usable(kim, tax_status="exempt")
    estate.owe(kim, 5000, datetime.date(2026, 5, 1))
    advance = estate.advance(kim, 1000)
    services.request_write_off(actor=estate.payers.first, advance=advance, reason="gone away")
    estate.owe(kim, 10, JULY)
    estate.transfer()
    with pytest.raises(Conflict):
        services.decide_write_off(actor=estate.payers.second, advance=advance)
    assert estate.balance("advance", kim.pk) == -990


# Sister societies.
def agree(estate: Estate, sister: Organisation, **said: object) -> SisterAgreement:
    given = {
        "uses": ["*"], "territory": ["*"], "deductions": [("administration", Decimal(15)), ("social fund", Decimal("3.5"))],
        "valid_from": JUNE, "document": estate.paper("agreement"),
    } | said  # fmt: skip
    made = services.request_agreement(actor=estate.payers.first, society=estate.society, sister=sister, **given)
    return services.decide_agreement(actor=estate.payers.second, agreement=made)


def enrol(estate: Estate, sister: Organisation, text: str) -> dict[str, object]:
    stored = keep(
        actor=estate.payers.first, stream=io.BytesIO(text.encode()), name="members.csv", organisation=estate.society
    )
    return services.import_sister_members(
        actor=estate.payers.first, society=estate.society, sister=sister, stored=stored
    )


def test_members_of_a_sister_are_paid_to_it_in_one_payment_with_a_file_that_sums(estate: Estate) -> None:
    sister = parties.organisation("FRENCH", "society")
    holders = [estate.payers.holder(f"F-{n}") for n in (1, 2)]
    own = estate.payers.holder("OWN")
    agree(estate, sister)
    counts = enrol(estate, sister, "holder_ref,their_ref\nF-1,SACEM-9\nF-2,\nF-2,\nNOBODY,\n=1+1,x\n")
    assert (counts["created"], counts["rejected"]) == (2, 3)
    for holder, amount in ((holders[0], 1_000_003), (holders[1], 777), (own, 50)):
        estate.owe(holder, amount)
    journal = estate.transfer()
    statement = SisterStatement.objects.get()
    expected = [cuts(amount, [150_000, 35_000]) for amount in (1_000_003, 777)]
    assert statement.net == sum(net for _cut, net in expected)
    assert statement.cuts == [sum(cut[place] for cut, _net in expected) for place in (0, 1)]
    assert estate.balance("sister", sister.pk) == statement.net
    assert estate.balance("deduction:administration") == statement.cuts[0]
    assert estate.owed(*holders, own) == [0, 0, 50]
    assert statement.journal == journal

    header, *rows = list(services.detail_file(statement))
    assert header == COLUMNS
    table = [dict(zip(header, row, strict=True)) for row in rows]
    assert [(row["holder_ref"], row["recipient_ref"], row["gross"]) for row in table] == [
        ("F-1", "SACEM-9", 1_000_003),
        ("F-2", "", 777),
    ]
    assert all(row["gross"] == row["deductions"] + row["net"] for row in table)
    assert sum(row["net"] for row in table) == statement.net
    assert {reconciled(statement)[name] for name in ("net", "lines", "posted")} == {statement.net}

    paid = services.record_sister_paid(actor=estate.payers.first, statement=statement, on=JULY, bank_reference="B-9")
    assert (paid.status, estate.balance("sister", sister.pk)) == ("paid", 0)
    assert (
        services.record_sister_paid(actor=estate.payers.first, statement=statement, on=JULY, bank_reference="B-9")
        == paid
    )
    with pytest.raises(Conflict):
        services.record_sister_paid(actor=estate.payers.first, statement=statement, on=JULY, bank_reference="B-10")
    assert services.problems() == []


def test_without_an_agreement_in_force_nothing_goes_to_a_sister(estate: Estate) -> None:
    sister, holder = parties.organisation("FRENCH", "society"), estate.payers.holder("F-1")
    agreement = agree(estate, sister)
    enrol(estate, sister, "holder_ref\nF-1\n")
    services.request_agreement_end(actor=estate.payers.first, agreement=agreement, on=JULY)
    services.decide_agreement_end(actor=estate.payers.second, agreement=agreement)
    estate.owe(holder, 100)
    assert estate.transfer(on=JULY) is None
    agree(estate, sister, valid_from=AUGUST, deductions=[])
    estate.transfer("august", on=AUGUST)
    assert estate.balance("sister", sister.pk) == 100


def test_one_agreement_a_day_and_one_society_a_holder(estate: Estate) -> None:
    sister, other = parties.organisation("FRENCH", "society"), parties.organisation("GERMAN", "society")
    estate.payers.holder("F-1")
    agree(estate, sister)
    with pytest.raises(Conflict):
        agree(estate, sister, valid_from=JULY)
    enrol(estate, sister, "holder_ref\nF-1\n")
    assert enrol(estate, other, "holder_ref\nF-1\n")["rejected"] == 1
    assert enrol(estate, sister, "holder_ref,their_ref\nF-1,NEW\n")["updated"] == 1
    assert SisterMember.objects.get().their_ref == "NEW"
    with pytest.raises(Refusal):
        agree(estate, estate.society)
    with pytest.raises(Refusal):
        agree(estate, other, deductions=[("a:b", Decimal(5))])


def test_lines_sent_to_a_sister_are_never_changed(estate: Estate) -> None:
    sister, holder = parties.organisation("FRENCH", "society"), estate.payers.holder("F-1")
    agree(estate, sister)
    enrol(estate, sister, "holder_ref\nF-1\n")
    estate.owe(holder, 100)
    estate.transfer()
    for sql in (
        "UPDATE royalties_sisterline SET net = 0",
        "DELETE FROM royalties_sisterline",
        "DELETE FROM royalties_sisterstatement",
    ):
        with (
            pytest.raises(IntegrityError, match="rows are only added"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)


@settings(max_examples=60)
@given(st.integers(0, 10**15), st.lists(st.integers(1, 1_000_000), max_size=4))
def test_the_database_deducts_as_the_rule_does(gross: int, ppms: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT royalties_sister_cuts(%s, %s::integer[])", [gross, ppms])
        [found] = cursor.fetchone()
    assert tuple(found) == cuts(gross, ppms)[0]


# Everything at once, against the database.
def test_whatever_is_owed_sums_before_and_after(estate: Estate) -> None:
    """Given any balances, rights, an advance and a sister; when money moves twice; then every won is somewhere, and verify is empty."""
    people = [estate.payers.holder(f"P-{n}") for n in range(5)]
    estate.payers.usable(people[0], tax_status="exempt")
    sister = parties.organisation("FRENCH", "society")
    agree(estate, sister, deductions=[("administration", Decimal("12.5"))])
    enrol(estate, sister, "holder_ref\nP-4\n")
    estate.owe(people[0], 10**6)

    @settings(max_examples=8)
    @given(st.data())
    def play(data: st.DataObject) -> None:
        with transaction.atomic():
            ppm, stays = data.draw(st.integers(1, 10**6)), data.draw(st.integers(0, 1000))
            estate.advance(people[0], data.draw(st.integers(1, 10**5)), ppm=ppm, stays=stays)
            for giver, taker in data.draw(
                st.lists(st.sampled_from(list(combinations(people, 2))), max_size=4, unique=True)
            ):
                kind = data.draw(st.sampled_from(["assignment", "succession"]))
                portion = data.draw(st.sampled_from([250_000, 333_333, 10**6]))
                with suppress(Conflict):
                    estate.right(giver, kind, taker, ppm=portion, with_arrears=data.draw(st.booleans()))
            for turn in ("a", "b"):
                for person in people:
                    if amount := data.draw(st.integers(0, 10**7)):
                        estate.owe(person, amount, JUNE)
                before = total(estate)
                journal = estate.transfer(turn)
                assert total(estate) == before
                assert min(estate.owed(*people)) >= 0 == estate.owed(people[4])[0]
                assert journal is None or estate.transfer(turn) == journal
                assert services.problems() == []
                with connection.cursor() as cursor:
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            transaction.set_rollback(True)

    play()


def total(estate: Estate) -> int:
    """All that the society owes to holders and sisters or keeps of it, less what holders owe of advances."""
    kinds = ["payable", "advance", "sister", "deduction:administration"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(credits - debits), 0) FROM ledger_account WHERE society_id = %s AND kind = ANY (%s)",
            [estate.society.pk, kinds],
        )
        return int(cursor.fetchone()[0])


def test_a_stranger_finds_no_advance(estate: Estate) -> None:
    other, kim = make_estate("OTHER"), estate.payers.holder("KIM")
    asked = services.request_advance(
        actor=estate.payers.first, society=estate.society, holder=kim, currency="KRW", amount=1000, reason="rent"
    )
    with pytest.raises(NotFound):
        services.decide_advance(actor=other.payers.second, advance=asked)
