"""What people enter about the bank: an account, a file, its headings, a rate."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from licensing.tariffs.currencies import MINOR_DIGITS
from royalties.bank.formats.table import COLUMNS

LABELS = {
    "booked_on": _("Day"), "value_on": _("Value date"), "amount": _("Amount with its sign"), "deposit": _("Deposit"),
    "withdrawal": _("Withdrawal"), "balance": _("Balance after it"), "counterparty": _("Payer or payee"),
    "counterparty_account": _("Their account"), "purpose": _("Text"), "bank_ref": _("The bank’s reference"), "code": _("Kind"),
}  # fmt: skip


class AccountForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("As your colleagues call it."))
    bank = forms.CharField(label=pgettext_lazy("institution", "Bank"), max_length=100)
    number = forms.CharField(label=_("Account number or IBAN"), max_length=50)
    currency = forms.ChoiceField(
        label=_("Currency"), choices=[(code, code) for code in sorted(MINOR_DIGITS)], initial="KRW"
    )
    bic = forms.CharField(label=_("BIC"), max_length=11, required=False)


class StatementForm(forms.Form):
    """A file as the bank gives it. Balances in minor units, for a CSV that has none."""

    file = forms.FileField(label=_("File"), help_text=_("camt.053 (XML), or the CSV of your bank’s web page."))
    opening = forms.IntegerField(
        label=_("Opening balance, in minor units"), required=False, help_text=_("Only for a CSV without balances.")
    )
    closing = forms.IntegerField(label=_("Closing balance, in minor units"), required=False)
    despite = forms.CharField(
        label=_("Why it does not follow the last one"), required=False, max_length=300,
        help_text=_("Only where you were asked: a statement between them is missing, and why."),
    )  # fmt: skip


class ColumnsForm(forms.Form):
    """Which heading of the bank's CSV serves for what."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in COLUMNS:
            self.fields[name] = forms.CharField(label=LABELS[name], max_length=100, required=False)


class RateForm(forms.Form):
    base = forms.ChoiceField(
        label=_("One unit of"), choices=[(code, code) for code in sorted(MINOR_DIGITS)], initial="USD"
    )
    rate = forms.DecimalField(label=_("is worth"), max_digits=20, decimal_places=10, min_value=0)
    quote = forms.ChoiceField(
        label=_("units of"), choices=[(code, code) for code in sorted(MINOR_DIGITS)], initial="KRW"
    )
    on = forms.DateField(label=_("On"), widget=forms.DateInput(attrs={"type": "date"}))
    source = forms.CharField(label=_("Source"), max_length=200, help_text=_("Who published it, and under which name."))
