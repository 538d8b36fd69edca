"""Where a payee is paid: four eyes, a cooling-off time, an account that lies sealed, and a holder who hears of all of it."""

from __future__ import annotations

import base64
import datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.approvals.models import Approval
from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Conflict, Forbidden, NotFound, Refusal
from accounts.notices.models import Letter, Notice
from licensing.repertoire.models import Representation
from royalties.payees import keys, services
from royalties.payees.models import PayeeDetails, PayeeReading, SanctionsCheck
from tests.licensing import parties
from tests.royalties.payees_world import IBAN, KOREAN, Payers, make_payers

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def payers() -> Payers:
    return make_payers()


def state(payers: Payers, after: datetime.timedelta = 4 * DAY, currency: str = "KRW") -> dict[int, tuple[Any, ...]]:
    """What the database says of each holder at a moment: (details, treaty, blocked)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT holder_id, details_id, treaty_id, blocked FROM royalties_payee_on(%s, %s, %s)",
            [payers.society.pk, currency, timezone.now() + after],
        )
        return {holder: tuple(rest) for holder, *rest in cursor.fetchall()}


def refused(sql: str, *values: Any) -> str:
    """What the database says to a statement that nobody may make."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
    return str(caught.value)


def test_new_details_wait_for_a_second_person_then_for_their_time(payers: Payers) -> None:
    """Bank-detail changes need four eyes (domain.md, Roles), and are used after a cooling-off time of three days."""
    holder = payers.holder("H-1")
    details = payers.ask(holder)
    assert state(payers)[holder.pk] == (details.pk, None, "not_approved")
    with pytest.raises(Forbidden) as caught:
        services.decide_details(actor=payers.first, details=details, approve=True)
    assert caught.value.code == "second_person_needed"
    approved = payers.approve(details)
    assert approved.usable_from and approved.decided_at
    assert approved.usable_from - approved.decided_at == 3 * DAY
    assert state(payers, after=2 * DAY)[holder.pk] == (details.pk, None, "cooling_off")
    assert state(payers, after=4 * DAY)[holder.pk] == (details.pk, None, "sanctions")
    services.record_check(actor=payers.first, details_ids=[details.pk], state="clear", source="UN list, 1 Nov 2026")
    assert state(payers)[holder.pk] == (details.pk, None, "")


def test_a_holder_without_data_has_no_row_and_incomplete_data_block(payers: Payers) -> None:
    nobody, half = payers.holder("H-0"), payers.holder("H-1")
    payers.usable(half)
    assert nobody.pk not in state(payers) and state(payers)[half.pk][2] == ""


def test_until_the_change_is_usable_the_former_account_is_paid(payers: Payers) -> None:
    holder = payers.holder("H-1")
    old = payers.usable(holder)
    new = payers.ask(holder, account="110-999-888777")
    assert state(payers)[holder.pk] == (old.pk, None, "")
    payers.approve(new)
    services.record_check(actor=payers.first, details_ids=[new.pk], state="clear", source="UN list, 1 Nov 2026")
    later = new.requested_at + 3 * DAY + datetime.timedelta(hours=1)
    assert state(payers, after=later - timezone.now())[holder.pk] == (new.pk, None, "")


def test_a_change_that_the_holder_did_not_ask_for_is_stopped_and_never_used(payers: Payers) -> None:
    """The holder is told at once, in the portal and at the address on record, and can stop it until and after its approval."""
    holder = payers.holder("H-1", email="old-address@example.org")
    member = payers.member(holder)
    old = payers.usable(holder)
    new = payers.ask(holder, account="110-999-888777")
    assert Notice.objects.filter(user_id=member.user_id, key=f"payee-change:{new.pk}").exists()
    letter = Letter.objects.get(key=f"payee-change:{new.pk}")
    assert letter.email == "old-address@example.org" and "/payees/stop/" in letter.link and "8777" in letter.body
    assert "110999888777" not in letter.body
    payers.approve(new)
    by_link = services.details_of_token(letter.link.rstrip("/").rsplit("/", 1)[1])
    assert by_link == new
    services.object_to(actor=member, details=new, reason="not me")
    assert state(payers, after=30 * DAY)[holder.pk][0] == old.pk
    with pytest.raises(Conflict):
        services.stop(actor=SYSTEM, details=new)
    assert Event.objects.filter(verb="payee.objected", object_id=str(new.pk)).exists()


def test_a_forged_link_stops_nothing(payers: Payers) -> None:
    with pytest.raises(NotFound):
        services.details_of_token("x" * 40)


def test_who_acts_for_the_holders_money_may_ask_and_a_delegate_for_works_may_not(payers: Payers) -> None:
    holder, other = payers.holder("H-1"), payers.holder("H-2")
    member, catalogue = payers.member(holder), payers.member(holder, "catalogue")
    made = payers.ask(holder, member)
    assert made.by_holder and Approval.objects.pending().about("payee_details", made.pk).exists()
    with pytest.raises(Forbidden):
        payers.ask(holder, catalogue)
    with pytest.raises(NotFound):
        payers.ask(other, member)
    assert payers.approve(made).status == "approved"


def test_asking_again_replaces_what_waits_and_nobody_can_approve_the_former(payers: Payers) -> None:
    holder = payers.holder("H-1")
    first, second = payers.ask(holder), payers.ask(holder, account="110-999-888777")
    first.refresh_from_db()
    assert (first.status, second.version) == ("withdrawn", 2)
    with pytest.raises(Conflict):
        payers.approve(first)


def test_nobody_approves_the_account_that_pays_themselves(payers: Payers) -> None:
    """A finance officer who is a member too has not two pairs of eyes."""
    holder = payers.holder("H-1")
    Representation.objects.create(user_id=payers.second.user_id, holder=holder)
    made = payers.ask(holder)
    with pytest.raises(Forbidden) as caught:
        payers.approve(made)
    assert caught.value.code == "second_person_needed"


def test_what_was_said_never_changes_in_the_database(payers: Payers) -> None:
    details = payers.usable(payers.holder("H-1"))
    for sql in (
        "UPDATE royalties_payeedetails SET last4 = '0000' WHERE id = %s",
        "UPDATE royalties_payeedetails SET sealed = 'x' WHERE id = %s",
        "UPDATE royalties_payeedetails SET usable_from = now() WHERE id = %s",
        "UPDATE royalties_payeedetails SET status = 'requested' WHERE id = %s",
        "DELETE FROM royalties_payeedetails WHERE id = %s",
        "UPDATE royalties_sanctionscheck SET state = 'hit' WHERE details_id = %s",
        "DELETE FROM royalties_sanctionscheck WHERE details_id = %s",
    ):
        assert "kept" in refused(sql, details.pk)


def test_details_never_begin_approved(payers: Payers) -> None:
    details = payers.usable(payers.holder("H-1"))
    columns = [f.column for f in PayeeDetails._meta.concrete_fields if f.column not in ("id", "version")]
    copied = ", ".join(columns)
    assert "kept" in refused(
        f"INSERT INTO royalties_payeedetails ({copied}, version) SELECT {copied}, 9 FROM royalties_payeedetails WHERE id = %s",
        details.pk,
    )


def test_the_account_lies_sealed_and_opens_for_its_own_row_only(payers: Payers) -> None:
    """AES-GCM authenticated with payee and version: a ciphertext that is moved to another row does not open."""
    one, two = payers.ask(payers.holder("H-1")), payers.ask(payers.holder("H-2"), account="110-999-888777")
    assert b"110123456789" not in bytes(one.sealed) and one.masked == "••••6789"
    opened = keys.unseal(one.sealed, key_id=one.key_id, payee_id=one.payee_id, version=one.version)
    assert opened is not None and opened.account == "110123456789" and opened.bank == "088"
    for payee_id, version in ((two.payee_id, 1), (one.payee_id, 2)):
        with pytest.raises(Refusal) as caught:
            keys.unseal(one.sealed, key_id=one.key_id, payee_id=payee_id, version=version)
        assert caught.value.code == "account_does_not_open"
    assert "110123456789" not in repr(opened)


def test_every_reading_is_logged_with_its_reason(payers: Payers) -> None:
    one, two = (
        payers.ask(payers.holder("H-1")),
        payers.ask(payers.holder("H-2"), account=IBAN, residence="GB", bank="", tax_status="non_resident"),
    )
    found = services.reveal(actor=payers.first, details_ids=[one.pk, two.pk], reason="bank file 7")
    assert (found[one.pk].account, found[two.pk].iban) == ("110123456789", IBAN)
    assert list(PayeeReading.objects.order_by("details_id").values_list("details_id", "reason")) == [
        (one.pk, "bank file 7"), (two.pk, "bank file 7"),
    ]  # fmt: skip
    assert Event.objects.get(verb="payee.read").data == {"reason": "bank file 7", "accounts": 2}
    with pytest.raises(Refusal):
        services.reveal(actor=payers.first, details_ids=[one.pk], reason=" ")
    stranger = make_payers("OTHER")
    with pytest.raises(NotFound):
        services.reveal(actor=stranger.first, details_ids=[one.pk], reason="curious")
    assert PayeeReading.objects.count() == 2


def test_a_change_of_keys_seals_everything_anew_and_the_old_key_may_go(payers: Payers, settings: Any) -> None:
    old, new = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
    settings.PAYEE_KEYS = [old]
    one = payers.usable(payers.holder("H-1"))
    settings.PAYEE_KEYS = [new, old]
    assert services.reseal(actor=SYSTEM) == 1 and services.reseal(actor=SYSTEM) == 0
    settings.PAYEE_KEYS = [new]
    assert services.reveal(actor=SYSTEM, details_ids=[one.pk], reason="test")[one.pk].account == "110123456789"
    settings.PAYEE_KEYS = [old]
    with pytest.raises(Refusal) as caught:
        services.reveal(actor=SYSTEM, details_ids=[one.pk], reason="test")
    assert caught.value.code == "payee_key_is_missing"


def test_a_hit_blocks_until_somebody_clears_it_and_both_stay_on_record(payers: Payers) -> None:
    holder = payers.holder("H-1")
    details = payers.usable(holder)
    services.record_check(
        actor=payers.first, details_ids=[details.pk], state="hit", source="EU list, 2 Nov 2026", note="same name"
    )
    assert state(payers)[holder.pk][2] == "sanctions"
    services.record_check(
        actor=payers.second, details_ids=[details.pk], state="clear", source="EU list, 2 Nov 2026", note="born 1931"
    )
    assert state(payers)[holder.pk][2] == ""
    assert SanctionsCheck.objects.filter(details=details).count() == 3


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"account": "123"}, "/account"),
        ({"account": "110-12A-456789"}, "/account"),
        ({"bank": "Bank of Nowhere"}, "/bank"),
        ({"bank": ""}, "/bank"),
        ({"account": "GB34BUKB20201555555555"}, "/account"),
        ({"account": IBAN, "bic": "NACFKRSE", "bank": ""}, "/bic"),
        ({"account": IBAN, "bic": "NOBIC", "bank": ""}, "/bic"),
        ({"residence": "XX"}, "/residence"),
        ({"residence": "US"}, "/tax_status"),
        ({"tax_status": "non_resident"}, "/tax_status"),
        ({"tax_status": "rich"}, "/tax_status"),
        ({"account": ""}, "/account"),
        ({"currency": "WON1"}, "/currency"),
    ],
)  # fmt: skip
def test_what_is_no_account_is_refused_at_its_field(payers: Payers, said: dict[str, str], pointer: str) -> None:
    """IBAN by its check digits (ISO 13616), BIC by its form (ISO 9362), Korean accounts by digits and bank."""
    with pytest.raises(Refusal) as caught:
        payers.ask(payers.holder("H-1"), **said)
    assert pointer in [error["pointer"] for error in caught.value.errors]
    assert not PayeeDetails.objects.exists()


def test_an_organisation_is_not_paid_the_income_of_a_person(payers: Payers) -> None:
    """Organisations are not business-income payees (domain.md, Payout)."""
    with pytest.raises(Refusal):
        payers.ask(payers.holder("H-1", kind="organisation"))
    assert payers.ask(payers.holder("H-2", kind="organisation"), tax_status="kr_organisation").pk


def test_an_account_for_one_currency_goes_before_the_one_for_all(payers: Payers) -> None:
    holder = payers.holder("H-1")
    everywhere, dollars = payers.usable(holder), payers.usable(holder, account="110-999-888777", currency="USD")
    assert state(payers)[holder.pk][0] == everywhere.pk
    assert state(payers, currency="USD")[holder.pk][0] == dollars.pk


def test_two_people_lay_down_how_long_the_society_waits(payers: Payers) -> None:
    terms = services.request_terms(actor=payers.first, society=payers.society, cooling_off_days=0)
    assert services.cooling_off(payers.society.pk) == 3 * DAY
    with pytest.raises(Forbidden):
        services.decide_terms(actor=payers.first, terms=terms, approve=True)
    services.decide_terms(actor=payers.second, terms=terms, approve=True)
    assert services.cooling_off(payers.society.pk) == 0 * DAY
    holder = payers.holder("H-1")
    payers.usable(holder)
    assert state(payers, after=datetime.timedelta(seconds=1))[holder.pk][2] == ""


def test_another_society_and_an_auditor_see_no_details(payers: Payers) -> None:
    details = payers.ask(payers.holder("H-1"))
    stranger = make_payers("OTHER")
    assert not PayeeDetails.objects.visible_to(stranger.first).exists()
    assert not PayeeDetails.objects.visible_to(parties.staff(payers.society, "ledger.view")).exists()
    with pytest.raises(NotFound):
        services.decide_details(actor=stranger.second, details=details, approve=True)


def test_a_third_party_is_paid_like_a_holder_but_is_none(payers: Payers) -> None:
    """A creditor's account has the same four eyes; the list of holders does not show it."""
    court = services.add_third_party(actor=payers.first, society=payers.society, name="Seoul Central District Court")
    details = services.request_details(actor=payers.first, payee=court, **KOREAN | {"tax_status": "exempt"})
    payers.approve(details)
    assert state(payers) == {}
