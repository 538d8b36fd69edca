"""The bank's file: ISO 20022 to the letter, in the bank's letters, the same bytes for ever, and sent once."""

from __future__ import annotations

import datetime
import hashlib
import io
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from accounts.identity.core import Conflict, Forbidden, NotFound, Refusal
from royalties.payees.models import PayeeReading
from royalties.payouts.core import Order, Party, Transfer, csvfile, next_day, pain001, rules, shares
from royalties.payouts.core.latin import latin, line
from royalties.payouts.core.payments import Tax
from royalties.payouts.models import Batch
from tests.royalties.payouts_world import Office, make_office

NS = f"{{{pain001.NAMESPACE}}}"
PAYER = Party("한국웹저작권협회", "110123456789", bic="SHBKKRSE")
KOREAN = Transfer("P1-1", 1_193_837, Party("김유나", "004123456789", bank="004"))
BRITISH = Transfer(
    "P1-2", 5_000, Party("J. O'Neil", "GB33BUKB20201555555555", iban=True, bic="BUKBGB22"), on_behalf="김유나"
)


def made(*transfers: Transfer, size: int = 10_000, **changes: Any) -> bytes:
    amounts = [each.amount for each in transfers]
    order = Order(
        message_id="PAYOUT-1-20260410", made_at=datetime.datetime(2026, 4, 10, 9), execute_on=datetime.date(2026, 4, 13),
        currency="KRW", payer=PAYER, count=len(amounts), total=sum(amounts), remittance="Royalties",
        sums=pain001.sums_of(amounts, size),
    )  # fmt: skip
    out = io.BytesIO()
    pain001.write(out, replace(order, **changes), transfers)
    return out.getvalue()


def broken(xml: bytes | etree._Element) -> list[str]:
    raw = xml if isinstance(xml, bytes) else etree.tostring(xml)
    return [each.reason for each in rules.problems(io.BytesIO(raw))]


def text_of(xml: bytes, path: str) -> list[str]:
    return [
        each.text or ""
        for each in etree.fromstring(xml).iterfind(f".//{path.replace('/', '/' + NS)}".replace(".//", f".//{NS}"))
    ]


def test_an_order_says_who_pays_whom_in_the_order_of_the_message() -> None:
    xml = made(KOREAN, BRITISH)
    assert broken(xml) == []
    assert text_of(xml, "GrpHdr/NbOfTxs") == ["2"]
    assert text_of(xml, "GrpHdr/CtrlSum") == text_of(xml, "PmtInf/CtrlSum") == ["1198837"]
    assert text_of(xml, "CdtrAcct/Id/Othr/Id") == ["004123456789"], "Korean accounts have no IBAN"
    assert text_of(xml, "CdtrAcct/Id/IBAN") == ["GB33BUKB20201555555555"]
    assert text_of(xml, "CdtrAgt/FinInstnId/Othr/Id") == ["004"]
    assert text_of(xml, "UltmtDbtr/Nm") == ["김유나"], "whose money it is, where somebody else gets it"
    assert [each.tag.removeprefix(NS) for each in etree.fromstring(xml).find(f".//{NS}CdtTrfTxInf[2]")] == [
        "PmtId", "Amt", "UltmtDbtr", "CdtrAgt", "Cdtr", "CdtrAcct", "RmtInf",
    ]  # fmt: skip


@pytest.mark.parametrize(("currency", "said"), [("KRW", "105"), ("USD", "1.05"), ("BHD", "0.105")])
def test_amounts_have_the_decimals_of_their_currency(currency: str, said: str) -> None:
    xml = made(replace(KOREAN, amount=105), currency=currency)
    assert broken(xml) == []
    assert text_of(xml, "Amt/InstdAmt") == [said]


def test_a_large_order_is_split_into_parts_that_add_up() -> None:
    many = [replace(KOREAN, end_to_end_id=f"P1-{n}", amount=n) for n in range(1, 8)]
    xml = made(*many, size=3)
    assert broken(xml) == []
    assert text_of(xml, "PmtInf/NbOfTxs") == ["3", "3", "1"]
    assert text_of(xml, "PmtInf/CtrlSum") == ["6", "15", "7"]
    assert len(set(text_of(xml, "PmtInf/PmtInfId"))) == 3


def test_an_order_whose_payments_are_not_those_counted_is_not_written() -> None:
    for wrong in ({"count": 2}, {"total": 1}, {"sums": ((1, 7),)}, {"sums": ((2, KOREAN.amount),)}):
        with pytest.raises(Refusal, match="not those of the batch"):
            made(KOREAN, **wrong)


def test_a_bank_of_basic_latin_letters_gets_no_others() -> None:
    xml = made(KOREAN, ascii_only=True, remittance="사용료 — 1분기")
    assert broken(xml) == []
    assert xml.decode().isascii()
    assert text_of(xml, "Cdtr/Nm") == ["Gimyuna"]


@given(st.text(max_size=300), st.integers(1, 140))
@settings(max_examples=150)
def test_any_name_becomes_one_that_the_message_allows(text: str, most: int) -> None:
    assert len(line(text, most)) <= most
    spelled = latin(text, most)
    assert len(spelled) <= most
    assert spelled.isascii()
    assert broken(made(replace(KOREAN, to=replace(KOREAN.to, name=text)), ascii_only=len(text) % 2 == 0)) == []


def cut(path: str) -> Callable[[Any], None]:
    def change(root: Any) -> None:
        found = root.find(f".//{NS}" + path.replace("/", f"/{NS}"))
        found.getparent().remove(found)

    return change


def put(path: str, text: str) -> Callable[[Any], None]:
    def change(root: Any) -> None:
        root.find(f".//{NS}" + path.replace("/", f"/{NS}")).text = text

    return change


def add(path: str, tag: str, text: str = "x") -> Callable[[Any], None]:
    def change(root: Any) -> None:
        etree.SubElement(root.find(f".//{NS}" + path.replace("/", f"/{NS}")), f"{NS}{tag}").text = text

    return change


def swap(path: str) -> Callable[[Any], None]:
    def change(root: Any) -> None:
        first = root.find(f".//{NS}" + path.replace("/", f"/{NS}"))
        first.addprevious(first.getnext())

    return change


def currency(root: Any) -> None:
    root.find(f".//{NS}InstdAmt").set("Ccy", "USD")


def no_currency(root: Any) -> None:
    del root.find(f".//{NS}InstdAmt").attrib["Ccy"]


def no_payments(root: Any) -> None:
    for each in root.findall(f".//{NS}CdtTrfTxInf"):
        each.getparent().remove(each)


def twice(root: Any) -> None:
    ids = root.findall(f".//{NS}EndToEndId")
    ids[1].text = ids[0].text


BREAKS: dict[str, tuple[Callable[[Any], None], str]] = {
    "no message id": (cut("GrpHdr/MsgId"), rules.MISSING),
    "no end-to-end id": (cut("PmtId/EndToEndId"), rules.MISSING),
    "no amount": (cut("CdtTrfTxInf/Amt"), rules.MISSING),
    "no bank": (cut("FinInstnId/BICFI"), rules.MISSING),
    "no account": (cut("CdtrAcct/Id/Othr"), rules.MISSING),
    "an order without payments": (no_payments, rules.MISSING),
    "out of order": (swap("PmtInf/NbOfTxs"), rules.NOT_ALLOWED),
    "an element of another place": (add("Cdtr", "IBAN"), rules.NOT_ALLOWED),
    "an unknown element": (add("GrpHdr", "Colour"), rules.NOT_ALLOWED),
    "two accounts": (add("CdtrAcct/Id", "IBAN", "GB33BUKB20201555555555"), rules.TOO_OFTEN),
    "a long id": (put("PmtId/EndToEndId", "P" * 36), rules.WRONG_FORM),
    "a long name": (put("Cdtr/Nm", "N" * 141), rules.WRONG_FORM),
    "an empty name": (put("Cdtr/Nm", " "), rules.WRONG_FORM),
    "a long account": (put("CdtrAcct/Id/Othr/Id", "1" * 35), rules.WRONG_FORM),
    "a BIC of seven": (put("DbtrAgt/FinInstnId/BICFI", "SHBKKRS"), rules.WRONG_FORM),
    "a mistyped IBAN": (put("CdtrAcct/Id/IBAN", "GB33BUKB20201555555556"), rules.IBAN_DIGITS),
    "a decimal won": (put("Amt/InstdAmt", "1193837.5"), rules.DECIMALS),
    "an amount of nothing": (put("Amt/InstdAmt", "0"), rules.NOT_POSITIVE),
    "a negative amount": (put("Amt/InstdAmt", "-5"), rules.WRONG_FORM),
    "another currency than the account's": (currency, rules.OTHER_CURRENCY),
    "no currency": (no_currency, rules.ATTRIBUTE),
    "a wrong number of payments": (put("GrpHdr/NbOfTxs", "3"), rules.COUNT),
    "a wrong number in the part": (put("PmtInf/NbOfTxs", "1"), rules.COUNT),
    "a wrong sum": (put("GrpHdr/CtrlSum", "1198838"), rules.SUM),
    "a wrong sum of the part": (put("PmtInf/CtrlSum", "1198836"), rules.SUM),
    "a day that is none": (put("ReqdExctnDt/Dt", "2026-02-30"), rules.NO_DAY),
    "an id used twice": (twice, rules.USED_TWICE),
    "text among elements": (put("Cdtr", "text"), rules.HAS_TEXT),
    "another method": (put("PmtInf/PmtMtd", "DD"), rules.WRONG_FORM),
    "another message": (lambda root: root.set("{urn:x}y", "1"), rules.ATTRIBUTE),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKS)
def test_each_rule_of_the_message_is_missed_when_it_is_broken(name: str) -> None:
    change, reason = BREAKS[name]
    root = etree.fromstring(made(KOREAN, BRITISH))
    change(root)
    assert reason in broken(root)


def test_what_is_no_such_message_breaks_the_rules() -> None:
    assert broken(b"<a/>")[0] == rules.OTHER_MESSAGE
    assert broken(b"not xml") == [rules.NOT_XML]
    assert broken(b'<!DOCTYPE x [<!ENTITY e "x">]>' + made(KOREAN).split(b"?>", 1)[1]) == [rules.NOT_XML]
    assert rules.OTHER_MESSAGE in broken(made(KOREAN).replace(b"pain.001.001.09", b"pain.001.001.03"))


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=6), st.lists(st.integers(0, 10**11), max_size=3))
def test_tax_is_divided_among_receivers_without_losing_anything(nets: list[int], taxes: list[int]) -> None:
    lines = [Tax(f"t{n}", amount * 3, "1/3", amount) for n, amount in enumerate(taxes)]
    found = shares(lines, nets)
    assert [each.net for each in found] == nets
    assert sum(each.withheld for each in found) == sum(taxes)
    assert all(each.gross == each.net + each.withheld == each.net + sum(t.amount for t in each.taxes) for each in found)
    for place, amount in enumerate(taxes):
        assert sum(each.taxes[place].amount for each in found) == amount
        assert sum(each.taxes[place].base for each in found) == amount * 3


def test_the_next_payday_follows_the_schedule() -> None:
    day = datetime.date
    assert next_day("monthly", 10, day(2026, 12, 11)) == day(2027, 1, 10)
    assert next_day("quarterly", 10, day(2026, 4, 10)) == day(2026, 4, 10)
    assert next_day("half_yearly", 5, day(2026, 2, 1)) == day(2026, 7, 5)
    assert next_day("yearly", 28, day(2026, 1, 28)) == day(2026, 1, 28)


def test_a_banks_csv_has_the_columns_of_the_policy_and_no_formulas() -> None:
    mapped = csvfile.columns("은행 = bank\n계좌번호 = account\n금액 = amount\n예금주 = name\nid")
    order = Order("M", datetime.datetime(2026, 4, 10), datetime.date(2026, 4, 13), "KRW", PAYER, 2, 12, sums=((2, 12),))
    evil = replace(KOREAN, amount=5, to=replace(KOREAN.to, name="=HYPERLINK(1)"))
    out = io.BytesIO()
    csvfile.write(out, order, [replace(KOREAN, amount=7), evil], mapped)
    rows = out.getvalue().decode("utf-8-sig").splitlines()
    assert rows[0] == "은행,계좌번호,금액,예금주,id"
    assert rows[1] == "004,004123456789,7,김유나,P1-1"
    assert not rows[2].split(",")[3].startswith("=")
    for wrong in ("account\namount", "account\namount\nid\nx = colour"):
        with pytest.raises(Refusal):
            csvfile.columns(wrong)


@pytest.fixture
def office(db: None) -> Office:
    return make_office()


@pytest.fixture
def batch(office: Office) -> Batch:
    office.policy(remittance="Royalties 2026", columns=csvfile.columns("account\namount\nid\nname"))
    for n in range(5):
        office.holder(f"H{n}", 10_000 + n)
    return office.ordered()


def test_the_first_file_is_the_order_and_every_later_one_its_copy(office: Office, batch: Batch) -> None:
    """A batch is never sent twice."""
    file, first = office.take(batch)
    batch.refresh_from_db()
    assert (file.copy, batch.status, batch.file_sha256) == (False, "sent", hashlib.sha256(first).hexdigest())
    assert broken(first) == []
    assert text_of(first, "GrpHdr/CtrlSum") == [str(batch.net)]
    assert set(batch.rows.values_list("status", flat=True)) == {"sent"}

    office.policy(remittance="Something else", debtor=None, valid_from=datetime.date(2999, 1, 1))
    again, copy = office.take(batch)
    assert (again.copy, copy == first) == (True, True)
    assert again.name.endswith("-copy.xml")
    with pytest.raises(Conflict, match="second form"):
        office.take(batch, form="csv")
    assert PayeeReading.objects.count() == 10, "each account's holder sees that it was read"


def test_a_file_sent_as_csv_is_not_sent_as_pain001_too(office: Office, batch: Batch) -> None:
    _file, text = office.take(batch, form="csv")
    assert text.decode("utf-8-sig").splitlines()[0] == "account,amount,id,name"
    with pytest.raises(Conflict, match="second form"):
        office.take(batch)


def test_only_those_who_approve_take_the_file_and_only_of_what_is_ordered(office: Office, batch: Batch) -> None:
    looker = replace(office.second, permissions=frozenset({"payouts.view", "payouts.prepare"}))
    with pytest.raises(Forbidden):
        office.take(batch, actor=looker)
    with pytest.raises(NotFound):
        office.take(batch, actor=make_office("OTHER").second)
    office.estate.owe(office.holders["H1"], 50)
    with pytest.raises(Conflict, match="was ordered"):
        office.take(office.prepared())
    batch.refresh_from_db()
    assert (batch.status, batch.file_sha256) == ("ordered", "")
    assert not PayeeReading.objects.exists()


def test_a_file_that_the_bank_would_refuse_is_not_marked_as_sent(office: Office, batch: Batch) -> None:
    frozen = batch.order | {"payer": batch.order["payer"] | {"bic": "NOBIC"}}
    Batch.objects.filter(pk=batch.pk).update(order=frozen)
    with pytest.raises(Refusal, match="would refuse"):
        office.take(batch)
    batch.refresh_from_db()
    assert (batch.status, batch.file_sha256) == ("ordered", "")


def test_a_file_that_would_differ_from_the_one_sent_is_not_given_out(office: Office, batch: Batch) -> None:
    office.take(batch)
    Batch.objects.filter(pk=batch.pk).update(order=Batch.objects.get(pk=batch.pk).order | {"remittance": "tampered"})
    with pytest.raises(Conflict, match="would differ"):
        office.take(batch)


def test_the_writer_and_the_rules_take_any_number_of_payments_in_flat_memory() -> None:
    """A thousand payments weigh no more than ten: nothing of what was written stays."""
    many = [replace(KOREAN, end_to_end_id=f"P1-{n}", amount=random.Random(n).randint(1, 10**9)) for n in range(1_000)]
    xml = made(*many, size=400)
    assert broken(xml) == []
    assert text_of(xml, "PmtInf/NbOfTxs") == ["400", "400", "200"]
