"""What people enter about payouts: a day, a policy, the bank's answer, a reference."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.identity.core import Refusal
from licensing.tariffs.currencies import MINOR_DIGITS
from royalties.bank.models import BankAccount
from royalties.payouts.core import csvfile
from royalties.payouts.models import PayoutPolicy

_DATE = {"type": "date"}


class StartForm(forms.Form):
    """On which day the bank carries the payout out, and in which currency."""

    execute_on = forms.DateField(
        label=gettext_lazy("Day of payment"),
        help_text=gettext_lazy("The bank carries it out on that day. Tax is withheld by the rules of that day."),
        widget=forms.DateInput(attrs=_DATE),
    )
    currency = forms.ChoiceField(label=gettext_lazy("Currency"))

    def __init__(self, *args: Any, currencies: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["currency"].choices = [(code, code) for code in currencies]  # type: ignore[attr-defined]


class PolicyForm(forms.Form):
    """A policy from a day on; the least amount in major units."""

    currency = forms.ChoiceField(label=gettext_lazy("Currency"))
    valid_from = forms.DateField(label=gettext_lazy("From"), widget=forms.DateInput(attrs=_DATE))
    threshold = forms.CharField(
        label=gettext_lazy("Least amount that is paid out"),
        max_length=24,
        help_text=gettext_lazy("Before tax. Less than this is carried forward and never lost. 0 pays everything."),
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
    )
    schedule = forms.ChoiceField(label=gettext_lazy("How often"), choices=PayoutPolicy.Schedule.choices)
    day = forms.IntegerField(
        label=gettext_lazy("On day"),
        min_value=1,
        max_value=28,
        help_text=gettext_lazy("Of the first month of each term."),
    )
    debtor = forms.ModelChoiceField(
        label=gettext_lazy("Account that pays"),
        queryset=BankAccount.objects.none(),
        required=False,
        help_text=gettext_lazy("It stands in the file for the bank."),
    )
    remittance = forms.CharField(label=gettext_lazy("Text on the payee’s account"), max_length=100, required=False)
    ascii_only = forms.BooleanField(
        label=gettext_lazy("The bank takes basic Latin letters only"),
        required=False,
        help_text=gettext_lazy("Names are then written in Latin letters in the file."),
    )
    columns = forms.CharField(
        label=gettext_lazy("Columns of the bank’s CSV"),
        required=False,
        max_length=3000,
        help_text=gettext_lazy(
            "One a line, in order: heading = field. Fields: number, bank, bic, account, name, amount, currency, date, text, id, "
            "on_behalf, debtor. Empty for a usual order."
        ),
        widget=forms.Textarea(attrs={"rows": 6, "class": "mono", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, accounts: QuerySet[BankAccount], currencies: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["debtor"].queryset = accounts  # type: ignore[attr-defined]
        self.fields["currency"].choices = [(code, code) for code in currencies]  # type: ignore[attr-defined]

    def clean_columns(self) -> tuple[tuple[str, str], ...]:
        try:
            return csvfile.columns(self.cleaned_data["columns"])
        except Refusal as refusal:
            raise forms.ValidationError(str(refusal)) from refusal

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "threshold" in data and "currency" in data:
            try:
                data["threshold"] = minor(data["threshold"], data["currency"])
            except ValueError as error:
                self.add_error("threshold", str(error))
        return data


def minor(text: str, currency: str) -> int:
    """An amount as a person writes it, in minor units. Raises ValueError with what is wrong."""
    try:
        amount = Decimal(text.replace(",", "").strip()).scaleb(MINOR_DIGITS[currency])
    except (InvalidOperation, KeyError) as error:
        raise ValueError(_("Write an amount, such as 10,000.")) from error
    if not amount.is_finite() or amount < 0 or amount != amount.to_integral_value() or amount > 10**15:
        raise ValueError(_("Write an amount, such as 10,000."))
    return int(amount)


class AnswerForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("Answer of the bank"),
        help_text=gettext_lazy("pain.002.001.10. The same file again changes nothing."),
    )


class SettleForm(forms.Form):
    """For banks that send no answer: what the bank's portal or statement shows."""

    on = forms.DateField(label=gettext_lazy("Carried out on"), widget=forms.DateInput(attrs=_DATE))
    bank_ref = forms.CharField(label=gettext_lazy("The bank’s reference"), max_length=140)


class ReturnForm(forms.Form):
    on = forms.DateField(label=gettext_lazy("Came back on"), widget=forms.DateInput(attrs=_DATE))
    reason = forms.CharField(
        label=gettext_lazy("Why it came back"), max_length=500, help_text=gettext_lazy("Its holder reads this.")
    )
    bank_ref = forms.CharField(label=gettext_lazy("The bank’s reference"), max_length=140, required=False)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )
