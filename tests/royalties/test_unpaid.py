"""What is not paid in time: reminders, a licence that may be suspended for it, and its return once all is paid."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from accounts.access.models import Membership
from accounts.identity.core import Conflict, Forbidden, NotFound
from accounts.identity.models import User
from accounts.notices.models import Notice
from licensing.declarations.models import Declaration
from licensing.licences import services as licences
from licensing.licences.models import Licence
from royalties.billing import services
from royalties.billing.models import Invoice
from tests.licensing import parties
from tests.royalties.billing_world import Firm, make_firm
from tests.together import together

DUE = datetime.date(2026, 5, 10)  # of what was issued on 10 April
DAY_60, DAY_61 = DUE + datetime.timedelta(days=60), DUE + datetime.timedelta(days=61)


@pytest.fixture
def firm(db: Any) -> Firm:
    made = make_firm()
    made.declare()
    made.bill()
    return made


def licensing(firm: Firm) -> Any:
    return parties.staff(firm.society, "licences.manage", "billing.view")


def status(firm: Firm) -> str:
    return Licence.objects.get(pk=firm.licence.pk).status


def suspend(firm: Firm, **fields: Any) -> Licence:
    given = {"actor": licensing(firm), "licence": firm.licence, "today": DAY_61}
    return services.suspend_unpaid(**given | fields)


def test_a_licence_may_be_suspended_after_sixty_days(firm: Firm) -> None:
    assert services.overdue(firm.society, DAY_60) == []
    [found] = services.overdue(firm.society, DAY_61)
    assert (found.licence.pk, found.since, found.open, found.currency) == (firm.licence.pk, DUE, 428_586, "KRW")
    with pytest.raises(Conflict) as refused:
        suspend(firm, today=DAY_60)
    assert refused.value.code == "not_overdue"
    suspend(firm)
    assert status(firm) == "suspended"
    assert services.overdue(firm.society, DAY_61) == []


def test_its_conditions_may_say_other_days(firm: Firm) -> None:
    Licence.objects.filter(pk=firm.licence.pk).update(conditions={"suspension_days": 10})
    day = DUE + datetime.timedelta(days=10)
    assert services.overdue(firm.society, day) == []
    assert len(services.overdue(firm.society, day + datetime.timedelta(days=1))) == 1


def test_only_who_manages_licences_suspends(firm: Firm) -> None:
    stranger = parties.staff(parties.organisation("OTHER", "society"), "licences.manage")
    for actor, error in [
        (stranger, NotFound),
        (firm.finance, Forbidden),
        (parties.staff(firm.licensee, "licences.manage"), NotFound),
    ]:
        with pytest.raises(error):
            suspend(firm, actor=actor)
    assert status(firm) == "active"


def test_it_comes_back_once_everything_overdue_is_paid(firm: Firm) -> None:
    firm.declare(start="2026-04-01", end="2026-05-01")
    april = datetime.date(2026, 4, 1), datetime.date(2026, 5, 1)
    first, second = Invoice.objects.get(), firm.bill(april)
    suspend(firm)
    firm.receive(first, first.open, "B-1")
    assert status(firm) == "suspended"
    firm.receive(second, second.open - 1, "B-2")
    assert status(firm) == "suspended"
    firm.receive(second, 1, "B-3")
    assert status(firm) == "active"


def test_it_comes_back_where_a_credit_note_leaves_nothing_open(firm: Firm) -> None:
    invoice = Invoice.objects.get()
    firm.receive(invoice, 50_000)
    suspend(firm)
    Declaration.objects.update(status="superseded")
    firm.declare(1_000_000_000)  # ₩50,000
    firm.bill()
    assert status(firm) == "active"


def test_one_that_was_suspended_for_something_else_stays_suspended(firm: Firm) -> None:
    licences.suspend(actor=licensing(firm), licence=firm.licence, ground="breach", reason="It kept copies.")
    invoice = Invoice.objects.get()
    firm.receive(invoice, invoice.open)
    assert services.resume_all_paid(DAY_61) == 0
    assert status(firm) == "suspended"


def test_the_task_resumes_what_a_receipt_did_not(firm: Firm) -> None:
    suspend(firm)
    assert services.resume_all_paid(DAY_61) == 0
    Invoice.objects.update(due_on=DAY_61)  # not overdue any more
    assert services.resume_all_paid(DAY_61) == 1
    assert services.resume_all_paid(DAY_61) == 0
    assert status(firm) == "active"


def finance_of(firm: Firm) -> User:
    person = User.objects.create(email="cho@hanbit.example", name="Cho", language="ko")
    Membership.objects.create(user=person, organisation=firm.licensee, role="finance")
    return person


def test_a_licensee_is_reminded_three_times_and_each_time_once(firm: Firm) -> None:
    person = finance_of(firm)
    told = []
    for days in range(-1, 46):
        services.remind_unpaid(DUE + datetime.timedelta(days=days))
        services.remind_unpaid(DUE + datetime.timedelta(days=days))
        count = Notice.objects.filter(user=person, key__startswith="invoice-unpaid:").count()
        told.append((days, count))
    changes = [days for (days, count), (_d, before) in zip(told[1:], told, strict=False) if count > before]
    assert changes == [1, 14, 30]
    assert (
        "KOREA-WEB-2026-0001" in Notice.objects.filter(user=person, key__startswith="invoice-unpaid:").first().subject
    )


def test_what_is_paid_is_not_reminded_of(firm: Firm) -> None:
    finance_of(firm)
    invoice = Invoice.objects.get()
    firm.receive(invoice, invoice.open)
    assert services.remind_unpaid(DUE + datetime.timedelta(days=1)) == 0
    assert not Notice.objects.filter(key__startswith="invoice-unpaid:").exists()


def test_a_receipt_and_a_suspension_at_once_do_not_leave_it_suspended_for_nothing(committed_db: Any) -> None:
    made = make_firm()
    made.declare()
    invoice = made.bill()
    together(lambda: suspend(made), lambda: made.receive(invoice, invoice.open))
    assert status(made) == "active"
