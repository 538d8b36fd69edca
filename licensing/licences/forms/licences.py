"""What people enter about licences."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import REF, Organisation
from licensing import labels, terms
from licensing.licences import core
from licensing.licences.models import Licence
from licensing.tariffs.models import PRICING, Tariff, TariffVersion

DAY = forms.DateInput(attrs={"type": "date"})


class LicenceForm(forms.Form):
    """A new licence of one society. Nothing ticked under uses is refused; nothing under kinds means any."""

    ref = forms.CharField(label=_("Reference"), max_length=64, validators=[REF], help_text=_("As in your contract."))
    licensee = forms.ModelChoiceField(label=_("Licensee"), queryset=Organisation.objects.none())
    tariff = forms.ModelChoiceField(
        label=_("Tariff"),
        queryset=Tariff.objects.none(),
        help_text=_("Only tariffs that a rate body has determined can price."),
    )
    tier = forms.CharField(
        label=_("Licensee's tier"),
        max_length=40,
        required=False,
        help_text=_("Where the tariff has tiers of licensees."),
    )
    uses = forms.MultipleChoiceField(label=_("Uses"), widget=forms.CheckboxSelectMultiple)
    kinds = forms.MultipleChoiceField(
        label=_("Kinds of work"), widget=forms.CheckboxSelectMultiple, required=False, help_text=_("None ticked: any.")
    )
    territory = forms.CharField(
        label=_("Territory"), max_length=1000, initial="KR", help_text=_("Country codes such as KR JP, or * for all.")
    )
    ai_models = forms.CharField(
        label=_("Models"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("One a line. Empty: any."),
    )
    datasets = forms.CharField(
        label=_("Datasets"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("One a line. Empty: any."),
    )
    valid_from = forms.DateField(label=_("First day"), widget=DAY)
    valid_to = forms.DateField(
        label=_("First day after the term"), widget=DAY, required=False, help_text=_("Empty: no end.")
    )
    status = forms.ChoiceField(
        label=_("Start as"),
        choices=[(Licence.Status.ACTIVE, _("active")), (Licence.Status.DRAFT, _("draft: licenses nothing yet"))],
    )

    def __init__(self, *args: Any, society: Organisation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        licensees = Organisation.objects.filter(kind=Organisation.Kind.LICENSEE).order_by("name")
        determined = TariffVersion.objects.filter(status__in=PRICING).values("tariff_id")
        self.fields["licensee"].queryset = licensees  # type: ignore[attr-defined]
        self.fields["tariff"].queryset = Tariff.objects.filter(society=society, pk__in=determined).order_by("name")  # type: ignore[attr-defined]
        self.fields["uses"].choices = [(code, labels.label(code)) for code in terms.USES]  # type: ignore[attr-defined]
        self.fields["kinds"].choices = [(code, labels.label(code)) for code in terms.KINDS]  # type: ignore[attr-defined]

    def clean_kinds(self) -> list[str]:
        return self.cleaned_data["kinds"] or [terms.ANY]

    def clean_territory(self) -> list[str]:
        return [code for code in re.split(r"[\s,;]+", self.cleaned_data["territory"]) if code]

    def clean_ai_models(self) -> list[str]:
        return self.cleaned_data["ai_models"].splitlines()

    def clean_datasets(self) -> list[str]:
        return self.cleaned_data["datasets"].splitlines()


class SuspendForm(forms.Form):
    ground = forms.ChoiceField(
        label=_("Why"),
        required=False,
        choices=[("", _("another reason")), *((code, _(said)) for code, said in core.SUSPENSIONS.items())],
    )
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)


class TerminateForm(forms.Form):
    on = forms.DateField(
        label=_("First day that is no longer licensed"), widget=DAY, help_text=_("Use before this day stays licensed.")
    )
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500)
