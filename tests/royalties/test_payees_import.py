"""The payees file: hostile rows are reported without their accounts, good ones are sealed, and one approval is for all of them."""

from __future__ import annotations

import datetime
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.identity.core import Forbidden, NotFound
from accounts.identity.models import User
from accounts.notices.models import Letter, Notice
from licensing.intake.models import StoredFile
from licensing.repertoire.models import Holder, Representation
from royalties.payees import services
from royalties.payees.models import PayeeDetails, PayeeImport, TaxPaper
from royalties.payees.services.importing import hidden
from tests.royalties.payees_world import IBAN, Payers, make_payers
from tests.royalties.test_payees_details import state

pytestmark = pytest.mark.django_db
HEAD = "holder_ref,account,bank,residence,tax_status,certificate_until\n"


@pytest.fixture
def payers() -> Payers:
    made = make_payers()
    for ref in ("H-1", "H-2", "H-3"):
        made.holder(ref, country="KR", tax_status="kr_business")
    return made


def approve(payers: Payers, done: Any) -> int:
    services.ask_import_approval(actor=payers.first, made=done.made)
    return services.decide_import(actor=payers.second, made=done.made, approve=True)


def counts(done: Any) -> tuple[int, ...]:
    said = done.as_data()
    return tuple(said[name] for name in ("read", "created", "updated", "unchanged", "rejected"))


def test_a_bad_row_is_reported_with_its_number_and_loses_no_good_row(payers: Payers, tmp_path: Path) -> None:
    """Contract: imports are idempotent by `*_ref`; a bad row is reported with its number and reason."""
    file = payers.file(
        tmp_path,
        HEAD
        + "H-1,110-123-456789,신한은행,,,\n"  # residence and status of the register
        + "H-9,110-123-456789,신한은행,,,\n"
        + "H-2,GB34BUKB20201555555555,,GB,non_resident,\n"
        + "H-3,110-123-456789,신한은행,US,kr_business,\n"
        + "H-3,1101234567890123456,신한은행,KR,kr_business,\n",
    )
    done = payers.load(file)
    assert counts(done) == (5, 1, 0, 0, 4)
    assert [(each.row, each.column) for each in done.rejects] == [
        (3, "holder_ref"), (4, "account"), (5, "tax_status"), (6, "holder_ref"),
    ]  # fmt: skip
    assert "20201555555555" not in json.dumps(done.as_data()) and done.rejects[1].value == "••••5555"
    details = PayeeDetails.objects.get()
    assert (details.residence, details.tax_status, details.status) == ("KR", "kr_business", "requested")


def test_the_same_file_twice_changes_nothing(payers: Payers, tmp_path: Path) -> None:
    file = payers.file(tmp_path, HEAD + f"H-1,110-123-456789,088,KR,kr_business,\nH-2,{IBAN},,GB,non_resident,\n")
    assert counts(payers.load(file)) == (2, 2, 0, 0, 0)
    again = payers.load(file)
    assert counts(again) == (2, 0, 0, 2, 0) and PayeeDetails.objects.count() == 2
    written_otherwise = payers.file(tmp_path, HEAD + "H-1,110 123 456789,신한,kr,KR_BUSINESS,\n", "other.csv")
    assert counts(payers.load(written_otherwise)) == (1, 0, 0, 1, 0)
    changed = payers.file(tmp_path, HEAD + "H-1,110-123-456780,신한,KR,kr_business,\n", "changed.csv")
    assert counts(payers.load(changed)) == (1, 0, 1, 0, 0)


def test_what_a_file_leaves_empty_stays_as_it_is_on_record(payers: Payers, tmp_path: Path) -> None:
    payers.load(payers.file(tmp_path, HEAD + "H-1,110-123-456789,088,KR,kr_business,\n"))
    done = payers.load(payers.file(tmp_path, "holder_ref,tax_status\nH-1,kr_other\n", "status.csv"))
    assert counts(done) == (1, 0, 1, 0, 0)
    now = PayeeDetails.objects.get(version=2)
    opened = services.reveal(actor=payers.first, details_ids=[now.pk], reason="test")[now.pk]
    assert (opened.account, now.tax_status, now.last4) == ("110123456789", "kr_other", "6789")


def test_one_approval_by_a_second_person_is_for_the_whole_file(payers: Payers, tmp_path: Path) -> None:
    done = payers.load(
        payers.file(tmp_path, HEAD + f"H-1,110-123-456789,088,KR,kr_business,\nH-2,{IBAN},,GB,non_resident,\n"),
        screened="UN list, 1 Nov 2026",
    )
    services.ask_import_approval(actor=payers.first, made=done.made)
    with pytest.raises(Forbidden):
        services.decide_import(actor=payers.first, made=done.made, approve=True)
    assert {blocked for _d, _t, blocked in state(payers).values()} == {"not_approved"}
    assert services.decide_import(actor=payers.second, made=done.made, approve=True) == 2
    assert {blocked for _d, _t, blocked in state(payers).values()} == {""}
    with pytest.raises(NotFound):
        services.own_import(make_payers("OTHER").first, done.made.pk)


def test_a_refused_file_is_never_used(payers: Payers, tmp_path: Path) -> None:
    done = payers.load(payers.file(tmp_path, HEAD + "H-1,110-123-456789,088,KR,kr_business,\n"))
    services.ask_import_approval(actor=payers.first, made=done.made)
    services.decide_import(actor=payers.second, made=done.made, approve=False, reason="wrong list")
    assert state(payers) == {} and PayeeDetails.objects.get().status == "refused"


def test_a_certificate_counts_up_to_the_day_on_the_paper(payers: Payers, tmp_path: Path) -> None:
    """`certificate_until` is the last day; the rate is the one of the rule's table (Korea–United States: 10 %)."""
    last = timezone.localdate() + datetime.timedelta(days=30)
    text = (
        HEAD + f"H-1,123456789,CITIUS33,US,non_resident,{last}\nH-2,{IBAN},,GB,non_resident,{last}\nH-3,,,KR,,{last}\n"
    )
    done = payers.load(payers.file(tmp_path, text), screened="UN list, 1 Nov 2026")
    assert counts(done) == (3, 2, 0, 0, 1)  # H-2's details are taken, its certificate is not
    assert [(each.row, each.column) for each in done.rejects] == [(3, "certificate_until"), (4, "certificate_until")]
    approve(payers, done)
    paper = TaxPaper.objects.get()
    assert (paper.country, paper.valid.upper) == ("US", last + datetime.timedelta(days=1))
    holder = paper.payee.holder_id or 0
    midnight = timezone.make_aware(datetime.datetime.combine(last + datetime.timedelta(days=1), datetime.time()))
    for moment, treaty in ((midnight - datetime.timedelta(seconds=1), paper.pk), (midnight, None)):
        assert state(payers, after=moment - timezone.now())[holder][1] == treaty  # by the day in Seoul
    assert counts(payers.load(payers.file(tmp_path, text, "again.csv"))) == (3, 0, 0, 2, 1)


def test_the_file_is_not_kept_and_no_account_lies_in_the_clear(payers: Payers, tmp_path: Path) -> None:
    payers.load(
        payers.file(tmp_path, HEAD + "H-1,110-123-456789,088,KR,kr_business,\nH-2,99988877766655544,088,KR,,\n")
    )
    assert not StoredFile.objects.exists()
    with connection.cursor() as cursor:
        for table in (
            "royalties_payeedetails",
            "royalties_payeeimport",
            "accounts_event",
            "accounts_notice",
            "accounts_approval",
        ):
            cursor.execute(
                f"SELECT count(*) FROM {table} t WHERE t::text LIKE ANY (ARRAY['%%110123456789%%', '%%99988877766655544%%'])"
            )
            assert cursor.fetchone() == (0,), table
    assert hidden("110-123-456789") == "••••6789"


def test_holders_hear_of_an_import_and_a_changed_account_reaches_the_old_address(
    payers: Payers, tmp_path: Path
) -> None:
    one = Holder.objects.get(ref="H-1")
    Holder.objects.filter(pk=one.pk).update(email="one@old.example")
    member = payers.member(one)
    first = payers.load(payers.file(tmp_path, HEAD + "H-1,110-123-456789,088,KR,kr_business,\n"))
    assert Notice.objects.filter(user_id=member.user_id, key=f"payee-import:{first.made.pk}").count() == 1
    assert not Letter.objects.exists()  # nothing was there before
    payers.load(payers.file(tmp_path, HEAD + "H-1,110-123-456780,088,KR,kr_business,\n", "2.csv"))
    letter = Letter.objects.get()
    assert letter.email == "one@old.example" and services.details_of_token(letter.link.split("/")[-2]).version == 2


def test_an_import_takes_the_place_of_what_waited(payers: Payers, tmp_path: Path) -> None:
    waiting = payers.ask(Holder.objects.get(ref="H-1"), account="110-999-888777")
    payers.load(payers.file(tmp_path, HEAD + "H-1,110-123-456789,088,KR,kr_business,\n"))
    waiting.refresh_from_db()
    assert waiting.status == "withdrawn"


def test_the_command_asks_and_approves_as_two_people(payers: Payers, tmp_path: Path) -> None:
    """`import_payees FILE --society REF`: by itself it only asks; --as and --approve-as are two people."""
    path = payers.file(tmp_path, HEAD + "H-1,110-123-456789,088,KR,kr_business,\n")
    out = io.StringIO()
    call_command("import_payees", str(path), "--society", payers.society.ref, "--json", stdout=out)
    said = json.loads(out.getvalue())
    assert (said["read"], said["created"], said["rejected"], said["rejects"], said["approved"]) == (1, 1, 0, [], 0)
    first, second = (User.objects.get(pk=actor.user_id).email for actor in (payers.first, payers.second))
    other, out = payers.file(tmp_path, HEAD + "H-2,110-123-456789,088,KR,kr_business,\n", "2.csv"), io.StringIO()
    call_command(
        "import_payees", str(other), "--society", payers.society.ref, "--as", first, "--approve-as", second, "--screened", "UN", "--json",
        stdout=out,
    )  # fmt: skip
    assert json.loads(out.getvalue())["approved"] == 1
    with pytest.raises(SystemExit) as refused:
        call_command(
            "import_payees",
            str(path),
            "--society",
            payers.society.ref,
            "--as",
            first,
            "--approve-as",
            first,
            "--json",
            stdout=out,
        )
    assert refused.value.code == 1 and PayeeImport.objects.count() == 2


def test_whoever_is_paid_by_a_row_does_not_approve_the_file(payers: Payers, tmp_path: Path) -> None:
    """Four eyes on what one is paid oneself are two others', also where it is one row of thousands."""
    Representation.objects.create(user_id=payers.second.user_id, holder=Holder.objects.get(ref="H-2"), scope="member")
    rows = "".join(f"{ref},110-123-456789,신한은행,,,\n" for ref in ("H-1", "H-2"))
    done = payers.load(payers.file(tmp_path, HEAD + rows))
    services.ask_import_approval(actor=payers.first, made=done.made)
    with pytest.raises(Forbidden) as refused:
        services.decide_import(actor=payers.second, made=done.made, approve=True)
    assert refused.value.code == "second_person_needed"
    assert set(PayeeDetails.objects.values_list("status", flat=True)) == {"requested"}


def test_whoever_is_taxed_by_a_paper_does_not_approve_it(payers: Payers) -> None:
    holder = payers.holder("ABROAD", country="US")
    Representation.objects.create(user_id=payers.second.user_id, holder=holder, scope="member")
    today = timezone.localdate()
    paper = services.request_paper(
        actor=payers.first, payee=services.payee_of(holder), kind="treaty", country="US", valid_from=today,
        valid_to=today + datetime.timedelta(days=365),
    )  # fmt: skip
    with pytest.raises(Forbidden) as refused:
        services.decide_paper(actor=payers.second, paper=paper, approve=True)
    assert refused.value.code == "second_person_needed"
