"""Pages of others' rights: finance records and decides, creators see what concerns them, strangers find nothing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.identity.core import Actor
from accounts.identity.models import User
from licensing.repertoire.models import Representation
from royalties.entitlements import services
from royalties.entitlements.models import Advance, Entitlement, SisterAgreement, SisterStatement
from tests.licensing import parties
from tests.royalties.entitlements_world import JUNE, Estate, make_estate

pytestmark = pytest.mark.django_db


@pytest.fixture
def estate() -> Estate:
    return make_estate()


@pytest.fixture
def as_(client: Client) -> Callable[[Actor], Client]:
    def signed_in(actor: Actor) -> Client:
        client.force_login(User.objects.get(pk=actor.user_id))
        return client

    return signed_in


def go(client: Client, name: str, *args: object) -> str:
    answer = client.get(reverse(f"royalties:{name}", args=args))
    assert answer.status_code == 200, (name, answer.status_code)
    return str(answer.content.decode())


def send(client: Client, name: str, *args: object, **data: object) -> str:
    answer = client.post(reverse(f"royalties:{name}", args=args), data, follow=True)
    assert answer.status_code == 200, (name, answer.status_code)
    return str(answer.content.decode())


def paper() -> SimpleUploadedFile:
    return SimpleUploadedFile("order.pdf", b"%PDF-1.7 order")


def test_finance_records_an_order_and_a_colleague_approves_it(estate: Estate, as_: Callable[[Actor], Client]) -> None:
    """What, to whom, until when and how much is left: on the list once it is on record, in force once approved."""
    kim, court = estate.payers.holder("KIM", name="Kim"), estate.third("Seoul court")
    client = as_(estate.payers.first)
    said = {
        "kind": "garnishment", "holder": "KIM", "to_payee": court.pk, "portion": "50", "ceiling": "30000", "currency": "krw",
        "priority": "1", "valid_from": "2026-06-01", "basis": "Order 2026-1", "file": paper(),
    }  # fmt: skip
    page = send(client, "entitlement_new", **said)
    found = Entitlement.objects.get()
    assert (found.holder, found.ppm, found.ceiling, found.currency) == (kim, 500_000, 30_000, "KRW")
    assert "A second person has to decide." in page
    assert 'value="approve"' not in page  # not the one who asked
    assert (
        client.post(reverse("royalties:entitlement_decide", args=[found.pk]), {"decision": "approve"}).status_code
        == 403
    )
    client = as_(estate.payers.second)
    assert 'value="approve"' in go(client, "entitlement", found.pk)
    send(client, "entitlement_decide", found.pk, decision="approve")
    listed = go(client, "entitlements")
    assert [text for text in ("Seoul court", "₩30,000", "50%", "In force") if text not in listed] == []
    assert client.get(reverse("royalties:entitlement_file", args=[found.pk])).getvalue() == b"%PDF-1.7 order"
    asked = send(client, "entitlement_end", found.pk, on="2026-07-01", reason="paid")
    assert "Approval of the end" in asked
    send(as_(estate.payers.first), "entitlement_end_decide", found.pk, decision="approve")
    found.refresh_from_db()
    assert str(found.valid.upper) == "2026-07-01"


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_kept(estate: Estate, as_: Callable[[Actor], Client]) -> None:
    estate.payers.holder("KIM")
    said = {"kind": "assignment", "portion": "100", "priority": "0", "valid_from": "2026-06-01", "basis": "x"}
    page = send(as_(estate.payers.first), "entitlement_new", **said, holder="NOBODY", file=paper())
    assert "There is no member with the reference" in page
    page = send(as_(estate.payers.first), "entitlement_new", **said, holder="KIM", file=paper())
    assert "Name the member who gets it" in page
    assert not Entitlement.objects.exists()


def test_an_advance_goes_from_request_to_payment_by_page(estate: Estate, as_: Callable[[Actor], Client]) -> None:
    kim = estate.payers.holder("KIM")
    estate.payers.usable(kim)
    estate.owe(kim, 5_000_000)
    client = as_(estate.payers.first)
    send(client, "advance_new", holder="KIM", amount="1000000", currency="KRW", portion="50", stays="0", reason="novel")
    made = Advance.objects.get()
    client = as_(estate.payers.second)
    page = send(client, "advance_decide", made.pk, decision="approve")
    assert "₩967,000" in page  # less 3 % and a tenth of it
    wrong = send(client, "advance_mark", made.pk, on="2026-06-01", paid="1000000", bank_reference="B-1")
    assert "are due after tax" in wrong
    send(client, "advance_mark", made.pk, on="2026-06-01", paid="967000", bank_reference="B-1")
    assert "₩1,000,000" in go(client, "advances")
    send(client, "advance_write_off_ask", made.pk, reason="gone")
    send(as_(estate.payers.first), "advance_write_off_decide", made.pk, decision="approve")
    made.refresh_from_db()
    assert (made.status, made.open) == ("written_off", 0)


def test_a_sister_society_from_agreement_to_its_detail_file(
    estate: Estate, as_: Callable[[Actor], Client], tmp_path: Path
) -> None:
    """The file opens in a spreadsheet, runs no formula, and sums to the payment; the page says that all agree."""
    sister, holder = parties.organisation("FRENCH", "society"), estate.payers.holder("F-1", name="=HYPERLINK(1)")
    client = as_(estate.payers.first)
    said = {
        "sister": sister.pk,
        "uses": ["*"],
        "territory": "FR; BE",
        "deductions": "administration 15 %\nsocial fund 3.5",
    }
    send(client, "sister_agreement_new", **said, valid_from="2026-06-01", file=paper())
    agreement = SisterAgreement.objects.get()
    assert agreement.deductions == [["administration", 150_000], ["social fund", 35_000]]
    assert agreement.territory == ["BE", "FR"]
    members = SimpleUploadedFile("members.csv", b"holder_ref,their_ref\nF-1,SACEM-1\nX,\n")
    assert "2 rows read: 1 new, 0 changed, 1 not taken." in send(
        client, "sister_agreement_read", agreement.pk, file=members
    )
    send(as_(estate.payers.second), "sister_agreement_decide", agreement.pk, decision="approve")
    estate.owe(holder, 1_000_003)
    estate.transfer()
    statement = SisterStatement.objects.get()
    assert "All of them agree." in go(client, "sister_statement", statement.pk)
    answer = client.get(reverse("royalties:sister_statement_detail", args=[statement.pk]))
    answer_bytes = answer.getvalue()
    [row] = csv.DictReader(io.StringIO(answer_bytes.decode("utf-8-sig")))
    assert (row["recipient_ref"], int(row["net"])) == ("SACEM-1", statement.net)
    assert row["holder_name"].startswith("'=")
    out = tmp_path / "detail.csv"
    printed = StringIO()
    call_command("export_sister_statement", statement.pk, "--out", str(out), "--json", stdout=printed)
    assert json.loads(printed.getvalue())["net"] == statement.net
    assert out.read_bytes() == answer_bytes
    assert "Paid on" in send(client, "sister_statement_mark", statement.pk, on="2026-07-02", bank_reference="B-7")
    assert all(text in go(client, "sisters") for text in ("₩", "paid"))


def test_a_sisters_members_are_imported_by_command(estate: Estate, tmp_path: Path) -> None:
    parties.organisation("FRENCH", "society")
    estate.payers.holder("F-1")
    table, said = tmp_path / "members.csv", StringIO()
    table.write_text("holder_ref,their_ref\nF-1,S-1\n", encoding="utf-8")
    arguments = (str(table), "--society", estate.society.ref, "--sister", "FRENCH", "--json")
    call_command("import_sister_members", *arguments, stdout=said)
    assert json.loads(said.getvalue())["created"] == 1


def test_creators_see_in_plain_words_who_gets_some_of_theirs(estate: Estate, as_: Callable[[Actor], Client]) -> None:
    kim, lee = estate.payers.holder("KIM", name="Kim"), estate.payers.holder("LEE", name="Lee")
    estate.right(kim, "assignment", lee, ppm=250_000)
    estate.ask(kim, "garnishment", estate.third("Not yet approved"))
    mine = go(as_(estate.payers.member(kim)), "my_entitlements")
    assert "You assigned 25% of what Kim is owed." in mine
    assert "Not yet approved" not in mine
    theirs = go(as_(estate.payers.member(lee)), "my_entitlements")
    assert "What you get of others" in theirs and "Kim" in theirs
    poems = estate.payers.member(lee, "catalogue")  # of Lee's works, and a member for another's money
    choi = estate.payers.holder("CHOI")
    Representation.objects.create(user_id=poems.user_id, holder=choi)
    assert "Nobody else" in go(as_(poems), "my_entitlements")
    other = estate.payers.member(estate.payers.holder("PARK"))
    assert "Nobody else" in go(as_(other), "my_entitlements")


def test_strangers_find_nothing(estate: Estate, as_: Callable[[Actor], Client]) -> None:
    kim = estate.payers.holder("KIM")
    found = estate.ask(kim, "garnishment", estate.third())
    advance = services.request_advance(
        actor=estate.payers.first, society=estate.society, holder=kim, currency="KRW", amount=1, reason="x"
    )
    other = as_(make_estate("OTHER").payers.first)
    for name, pk in (("entitlement", found.pk), ("entitlement_file", found.pk), ("advance", advance.pk)):
        assert other.get(reverse(f"royalties:{name}", args=[pk])).status_code == 404
    member = as_(estate.payers.member(kim))
    assert member.get(reverse("royalties:entitlements")).status_code == 403
    assert str(JUNE.year) in str(found.valid.lower)
