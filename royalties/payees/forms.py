"""What people enter about payees: an account, a paper, a check, a file."""

from __future__ import annotations

from typing import Any

from babel import Locale
from django import forms
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.identity.core import Refusal
from licensing.repertoire.importing.holders import countries
from royalties.payees.core.accounts import BANKS
from royalties.payees.models import TAX_STATUSES, SanctionsCheck, TaxPaper


def country_choices() -> list[tuple[str, str]]:
    """Countries by name in the reader's language, Korea first."""
    names = Locale.parse(get_language() or "en").territories
    known = sorted(((code, str(names.get(code, code))) for code in countries()), key=lambda each: each[1])
    return [("", "–"), ("KR", str(names["KR"])), *(each for each in known if each[0] != "KR")]


class DetailsForm(forms.Form):
    """Where somebody is paid. The account is never filled in again: it is shown by its last four characters only."""

    holder_name = forms.CharField(label=_("Name on the account"), max_length=140)
    account = forms.CharField(
        label=_("Account number or IBAN"), max_length=60, help_text=_("Blanks and hyphens do not matter."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "text"}),
    )  # fmt: skip
    bank = forms.CharField(
        label=pgettext_lazy("institution", "Bank"), max_length=60, required=False,
        help_text=_("In Korea: name or three-digit code. With an IBAN it may stay empty."),
        widget=forms.TextInput(attrs={"list": "banks"}),
    )  # fmt: skip
    bic = forms.CharField(
        label=_("BIC (SWIFT)"), max_length=11, required=False, help_text=_("Needed outside Korea without an IBAN.")
    )
    residence = forms.ChoiceField(label=_("Country where you are taxed"))
    tax_status = forms.ChoiceField(label=_("For the tax office you are"), choices=[("", "–"), *TAX_STATUSES])
    currency = forms.CharField(
        label=_("Only for payments in"),
        max_length=3,
        required=False,
        help_text=_("A currency such as USD; leave it empty for all."),
    )
    banks = tuple(BANKS.values())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["residence"].choices = country_choices()  # type: ignore[attr-defined]


class PaperForm(forms.Form):
    kind = forms.ChoiceField(label=_("Certificate"), choices=TaxPaper.Kind.choices)
    country = forms.ChoiceField(label=_("Country of residence on it"))
    valid_from = forms.DateField(
        label=_("Counts from"),
        help_text=_("Of a W-8 or W-9: the day of its signature."),
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    valid_to = forms.DateField(
        label=_("First day on which it no longer counts"), required=False,
        help_text=_("A W-8 ends by itself with the third year after its signature."), widget=forms.DateInput(attrs={"type": "date"}),
    )  # fmt: skip
    percent = forms.DecimalField(
        label=_("Rate that it claims, in percent"), required=False, min_value=0, max_value=50, max_digits=9, decimal_places=6,
        help_text=_("Empty: the rate of the treaty as the tax rule has it."),
    )  # fmt: skip
    local_tax_included = forms.BooleanField(label=_("The rate includes local tax"), required=False, initial=True)
    claims_treaty = forms.BooleanField(label=_("It claims the rate of a treaty"), required=False, initial=True)
    document = forms.FileField(
        label=_("The paper itself"), required=False, help_text=_("PDF or picture, at most 10 MB.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = country_choices()  # type: ignore[attr-defined]

    def clean_document(self) -> Any:
        file = self.cleaned_data.get("document")
        if file and file.size > 10 * 1024**2:
            raise forms.ValidationError(_("The file is larger than 10 MB."))
        return file


class CheckForm(forms.Form):
    state = forms.ChoiceField(label=_("Outcome"), choices=SanctionsCheck.State.choices, initial="clear")
    source = forms.CharField(
        label=_("List, with its day"),
        max_length=200,
        help_text=_("Such as: UN consolidated list, 1 November 2026."),
    )
    note = forms.CharField(label=_("Note"), max_length=500, required=False)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 2})
    )


class ReadForm(forms.Form):
    reason = forms.CharField(
        label=_("Why do you read it?"),
        max_length=200,
        help_text=_("The holder sees your name, the time and this."),
    )


class ThirdPartyForm(forms.Form):
    name = forms.CharField(label=_("Who is to be paid"), max_length=300)


class TermsForm(forms.Form):
    cooling_off_days = forms.IntegerField(label=_("Days between approval and use"), min_value=0, max_value=60)


class ImportForm(forms.Form):
    file = forms.FileField(
        label=_("Payees file"),
        help_text=_("Columns: holder_ref, account, bank, residence, tax_status, certificate_until."),
    )
    screened = forms.CharField(
        label=_("Compared before with this list of sanctions"), max_length=200, required=False,
        help_text=_("With its day. Empty: they are compared here, and nothing is paid until then."),
    )  # fmt: skip


def put_errors(form: forms.Form, refusal: Refusal) -> None:
    """What a service refused, at the field that it speaks of."""
    for error in refusal.errors:
        field = str(error.get("pointer", "")).strip("/").partition("/")[0]
        form.add_error(field if field in form.fields else None, str(error["detail"]))
