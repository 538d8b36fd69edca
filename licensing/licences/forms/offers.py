"""What a society enters to quote and to offer, and what people enter to sign."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from licensing.licences.conditions import PERIODS, Conditions
from licensing.licences.forms.requests import DAY
from licensing.licences.models import StandardTerms


class QuoteForm(forms.Form):
    """Beside the figures: the tier that the evidence shows, how long the quote holds, and a word with it."""

    tier = forms.ChoiceField(
        label=_("Size of the licensee"), required=False, help_text=_("As you find it from the evidence.")
    )
    last_day = forms.DateField(
        label=_("Last day of the quote"),
        widget=forms.DateInput(attrs=DAY),
        help_text=_("An offer may rest on it up to this day."),
    )
    message = forms.CharField(
        label=_("Message"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, tiers: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if tiers:
            self.fields["tier"].choices = [("", _("none")), *((tier, tier) for tier in tiers)]  # type: ignore[attr-defined]
        else:
            del self.fields["tier"]


def _days(label: Any, help_text: Any = "", *, required: bool = True, most: int = 3_650) -> forms.IntegerField:
    return forms.IntegerField(label=label, help_text=help_text, required=required, min_value=0, max_value=most)


class ConditionsForm(forms.Form):
    """The conditions of an offer, with what its terms set as the start. An empty field: the licence does not ask for it."""

    retention_days = _days(
        _("Copies may be kept for, in days"), _("Empty: as long as the licence holds."), required=False
    )
    output_limit = _days(
        _("Most characters of one work in a row in an output"), _("Empty: no limit."), required=False, most=1_000_000
    )
    sublicensing = forms.BooleanField(label=_("The licensee may grant sub-licences"), required=False)
    deletion_days = _days(
        _("After the end, copies are deleted within, in days"), _("Empty: no duty to delete."), required=False
    )
    audit_notice_days = _days(
        _("Notice before an audit, in days"), _("Empty: the society has no right of audit."), required=False
    )
    reporting_months = forms.TypedChoiceField(
        label=_("Use is declared every"), required=False, coerce=int, empty_value=None
    )
    report_within_days = _days(_("A declaration is due after its period within, in days"))
    suspension_days = _days(_("The licence may be suspended when an invoice is overdue by, in days"))
    renewal_notice_days = _days(_("A renewal is asked for before the end by, in days"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        months = [(months, _("%(months)s months") % {"months": months}) for months in PERIODS]
        self.fields["reporting_months"].choices = [("", _("never: nothing is declared")), *months]  # type: ignore[attr-defined]

    @property
    def conditions(self) -> dict[str, Any]:
        return Conditions(**{name: self.cleaned_data[name] for name in Conditions().as_data()}).as_data()


class OfferForm(forms.Form):
    """Until when the offer can be signed."""

    last_day = forms.DateField(
        label=_("Last day to sign"),
        widget=forms.DateInput(attrs=DAY),
        help_text=_("Both sides sign up to this day, and not after the last day of the quote."),
    )


class TermsForm(forms.Form):
    """Which of the society's published terms the offer is made under."""

    terms = forms.ModelChoiceField(label=_("Standard terms"), queryset=StandardTerms.objects.none(), empty_label=None)

    def __init__(self, *args: Any, society_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        published = StandardTerms.objects.published().filter(society_id=society_id).order_by("ref")
        self.fields["terms"].queryset = published  # type: ignore[attr-defined]


class SignForm(forms.Form):
    """A signature: one's name as typed, in what capacity, and that one is authorised; on the digest that was shown."""

    typed_name = forms.CharField(
        label=_("Your full name"), max_length=300, help_text=_("Typing it is your signature."),
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )  # fmt: skip
    capacity = forms.CharField(
        label=_("In what capacity you sign"), max_length=200, help_text=_("For example: chief executive.")
    )
    authorised = forms.BooleanField(label=_("I am authorised to sign this licence for my organisation."))
    sha256 = forms.CharField(widget=forms.HiddenInput, max_length=64)
