"""How the invoices of a licence stand: what credit notes can still take off them, and what is in its favour."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q, Sum

from licensing.licences.models import Licence
from royalties.billing.crediting import Favour, Standing
from royalties.billing.models import Invoice, InvoiceCredit, Receipt
from royalties.ledger.core import balance
from royalties.ledger.models import Account


def standing(invoices: Sequence[Invoice]) -> list[Standing]:
    """These invoices, credit notes left out, in their order: what is open, and what was paid and not returned.

    What was given up counts as open: a credit takes a write-off back first, as money does.
    """
    asking = [invoice for invoice in invoices if invoice.kind != Invoice.Kind.CREDIT]
    received = Receipt.objects.filter(invoice__in=asking).order_by().values("invoice_id")
    paid = {row["invoice_id"]: row for row in received.annotate(nets=Sum("net"), vats=Sum("vat"))}
    credits = InvoiceCredit.objects.filter(invoice__in=asking, returned=True).order_by().values("invoice_id")
    returned = {row["invoice_id"]: row for row in credits.annotate(nets=Sum("net"), vats=Sum("vat"))}
    none = {"nets": 0, "vats": 0}
    return [
        Standing(
            invoice=each.pk,
            net=each.net - each.carried_net,
            gross=each.gross - each.carried,
            settled=each.received + each.credited,
            paid_net=int(paid.get(each.pk, none)["nets"]) + each.carried_net,
            paid_vat=int(paid.get(each.pk, none)["vats"]) + each.carried - each.carried_net,
            returned_net=int(returned.get(each.pk, none)["nets"]),
            returned_vat=int(returned.get(each.pk, none)["vats"]),
        )
        for each in asking
    ]


def favour(licence: Licence, currency: str) -> Favour:
    """What stands in a licence's favour, by the ledger: all of it, and of that the net (`credited`)."""
    kinds = Account.objects.filter(
        Q(kind="favour") | Q(kind="credited"), society_id=licence.society_id, owner_id=licence.pk, currency=currency
    )
    found = {each.kind: balance(each.kind, each.debits, each.credits) for each in kinds}
    net = found.get("credited", 0)
    return Favour(net, found.get("favour", 0) - net)
