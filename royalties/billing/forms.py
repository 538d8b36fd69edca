"""What people enter about money: what to bill, what came in, the rate of VAT."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.identity.core import Actor
from licensing.licences.models import Licence


def day(label: Any, help_text: Any = "") -> forms.DateField:
    return forms.DateField(label=label, help_text=help_text, widget=forms.DateInput(attrs={"type": "date"}))


class BillForm(forms.Form):
    """A licence of one's own society and a half-open billing period."""

    licence = forms.ModelChoiceField(Licence.objects.none(), label=_("Licence"))
    start = day(_("First day of use"))
    end = day(_("First day after"), _("Exclusive: 1 April for uses up to 31 March."))

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = Licence.objects.visible_to(actor).filter(society_id=actor.organisation_id)
        field: Any = self.fields["licence"]
        field.queryset = own.select_related("licensee", "society", "tariff").order_by("ref")
        field.label_from_instance = lambda licence: f"{licence.ref} · {licence.licensee}"

    @property
    def period(self) -> tuple[Any, Any]:
        return self.cleaned_data["start"], self.cleaned_data["end"]


class ReceiptForm(forms.Form):
    """Money that came in. The amount is in minor units, as on the invoice's page."""

    amount = forms.IntegerField(label=_("Amount, in minor units"), min_value=1, max_value=10**15)
    received_on = day(_("Received on"))
    bank_ref = forms.CharField(
        label=_("Bank reference"), max_length=100, help_text=_("It makes the payment count once.")
    )


class VatForm(forms.Form):
    percent = forms.DecimalField(
        label=_("Percent"), min_value=0, max_value=100, max_digits=6, decimal_places=3, help_text=_("0: no VAT.")
    )
    valid_from = day(_("For invoices issued from"))
