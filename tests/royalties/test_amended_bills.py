"""What an amendment costs: works added, removed and changed come to the difference, and no superseded declaration is billed again."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.identity.core import Refusal
from licensing.declarations.models import Declaration, DeclaredUse
from royalties.billing import services
from royalties.billing.models import Invoice, InvoiceDeclaration, PoolDeclaration
from royalties.ledger import services as ledger
from tests.licensing.tariff_documents import charge, tariff
from tests.royalties.billing_world import QUARTER, Firm, make_firm

pytestmark = pytest.mark.django_db
FIRST = {"one.example": 100, "two.example": 200}


@pytest.fixture
def firm() -> Firm:
    """₩1 a token, and ₩1,000 a work."""
    return make_firm(tariff(charge("per_unit", per=1, price="1"), charge("per_work", price="1000")))


def declared(firm: Firm, lines: dict[str, int], old: Declaration | None = None) -> Declaration:
    """Tokens of unmatched sites; in the place of an older declaration, if there is one."""
    (name, units), *more = lines.items()
    if old:
        Declaration.objects.filter(pk=old.pk).update(status="superseded")
    made = firm.declare(units, value=name, supersedes=old, submitted_at=None)
    DeclaredUse.objects.bulk_create(
        DeclaredUse(
            declaration=made, scheme="domain", value=each, kind="web", use="train", unit="token", used_on=made.period.lower,
            status="unmatched", units=tokens, lines=1,
        )
        for each, tokens in more
    )  # fmt: skip
    made.submitted_at = timezone.now()
    made.save(update_fields=["submitted_at"])
    return made


@pytest.mark.parametrize(
    "amended, difference",
    [
        ({**FIRST, "three.example": 50}, 1_050),  # added
        ({"one.example": 100}, -1_200),  # removed
        ({"one.example": 40, "two.example": 300}, 40),  # changed: 60 less, 100 more
        ({"one.example": 10, "three.example": 500}, 210),  # all three: −90, −1,200, +1,500
        ({"two.example": 100, "three.example": 200}, 0),  # as much as before, for other works
    ],
)
def test_the_difference_is_billed_or_credited_once(firm: Firm, amended: dict[str, int], difference: int) -> None:
    old = declared(firm, FIRST)
    first = firm.bill()
    new = declared(firm, amended, old)
    [waiting] = services.waiting(firm.finance)
    assert ([each.pk for each in waiting.declarations], waiting.late) == ([new.pk], True)
    last = firm.bill()
    assert last.net == (difference or first.net)
    assert last.kind == ("use" if difference >= 0 else "credit")
    assert sum(Invoice.objects.values_list("net", flat=True)) == sum(amended.values()) + 1_000 * len(amended)
    assert services.waiting(firm.finance) == [] and firm.bill().pk == last.pk
    assert (ledger.problems(), services.problems()) == ([], [])


def test_a_superseded_declaration_is_billed_and_weighed_no_more(firm: Firm) -> None:
    """Amended before it was ever billed, or after: the money waits for what took its place, and never has both."""
    old = declared(firm, FIRST)
    Declaration.objects.filter(pk=old.pk).update(status="superseded")
    with pytest.raises(Refusal) as refused:
        firm.bill()
    assert refused.value.code == "nothing_to_bill"
    Declaration.objects.filter(pk=old.pk).update(status="accepted")
    first = firm.bill()
    second = declared(firm, {**FIRST, "three.example": 50}, old)
    assert weighs(first) == []
    adjusting = firm.bill()
    third = declared(firm, {"three.example": 50}, second)
    assert (weighs(first), weighs(adjusting)) == ([], [])
    firm.bill()
    assert (weighs(first), weighs(adjusting)) == ([third.pk], [third.pk])
    assert list(InvoiceDeclaration.objects.order_by("id").values_list("declaration_id", flat=True)) == [
        old.pk,
        second.pk,
        third.pk,
    ]


def test_what_stands_beside_an_amended_one_waits_with_it(firm: Firm) -> None:
    """Two declarations were billed together; while one of them is amended and not billed, neither weighs alone."""
    one, two = declared(firm, {"one.example": 100}), declared(firm, {"two.example": 200})
    first = firm.bill(QUARTER)
    amended = declared(firm, {"one.example": 500}, one)
    assert weighs(first) == []
    firm.bill(QUARTER)
    assert weighs(first) == sorted([two.pk, amended.pk])


def weighs(invoice: Invoice) -> list[int]:
    found = PoolDeclaration.objects.filter(invoice=invoice).values_list("declaration_id", flat=True)
    return sorted(found)
