"""Two workers or two people at once: cases are opened once, a case ends once, a licensee is told once."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from licensing.compliance import services
from licensing.compliance.models import Case, CaseScan, ReservationNotice
from licensing.permissions.models import Reservation
from licensing.repertoire.models import Work
from royalties.billing import services as billing
from royalties.billing.models import Invoice
from tests.accounts import people
from tests.licensing.compliance_world import make
from tests.together import together


def test_at_once(committed_db: Any) -> None:
    world = make(("U", 100_000), ("S", 500))
    finance = people.actor(world.society, "finance")

    opened = together(*[lambda: services.open_cases(world.declaration.pk)] * 4)
    assert sorted(opened) == [0, 0, 0, 3] and Case.objects.count() == 3 and CaseScan.objects.count() == 1

    told = together(*[lambda: services.notify_declaration(actor=world.staff, declaration=world.declaration)] * 3)
    assert sorted(told) == [0, 0, 3]

    case = Case.objects.get(holder__ref="H1")
    ended = together(
        lambda: services.accept(actor=world.licensee, case=case),
        lambda: services.close(actor=world.staff, case=case, reason="Counted twice."),
        lambda: services.settle(actor=world.staff, case=case, amount=case.proposed or 0, reason="Paid."),
    )
    assert sum(isinstance(each, Case) for each in ended) == 1, ended

    settled = Case.objects.get(holder__ref="H3")
    services.accept(actor=world.licensee, case=settled)
    invoices = together(*[lambda: billing.bill_case(actor=finance, case=settled)] * 3)
    assert {invoice.pk for invoice in invoices} == {Invoice.objects.get(case=settled).pk}

    now = timezone.now()
    for n in range(20):
        Reservation.objects.create(
            society=world.society, ref=f"RES-{n}", status="effective", target="work", work=Work.objects.get(ref="U"),
            uses=["train"], territory=["*"], source="staff", received_at=now, effective_from=now,
        )  # fmt: skip
    assert sum(together(*[services.tell_effective] * 3)) == 20 == ReservationNotice.objects.count()
