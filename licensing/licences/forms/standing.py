"""What a society enters to prepare a standing offer, and what a firm chooses that takes it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from licensing import labels, terms
from licensing.licences.forms.requests import USES_SAID
from licensing.licences.models import StandardTerms
from licensing.tariffs.models import Tariff

DAY = forms.DateInput(attrs={"type": "date"})


class StandingForm(forms.Form):
    """A standing offer. How long such a licence is, and which sizes have a fixed price, the tariff says."""

    name = forms.CharField(label=_("Name in English"), max_length=200)
    name_ko = forms.CharField(label=_("Name in Korean"), max_length=200, required=False)
    tariff = forms.ModelChoiceField(
        label=_("Tariff"),
        queryset=Tariff.objects.none(),
        help_text=_("Only tariffs that allow a licence without negotiation."),
    )
    standard_terms = forms.ModelChoiceField(label=_("Standard terms"), queryset=StandardTerms.objects.none())
    tiers = forms.CharField(
        label=_("Sizes of firms"),
        required=False,
        max_length=1000,
        help_text=_("Separated by commas, as the tariff names them. Empty: all for which it fixes the price."),
    )
    uses = forms.MultipleChoiceField(
        label=_("Uses"), choices=list(USES_SAID.items()), widget=forms.CheckboxSelectMultiple
    )
    kinds = forms.MultipleChoiceField(
        label=_("Kinds of work"),
        choices=[(code, labels.LABELS[code]) for code in terms.KINDS],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("None ticked: any kind."),
    )
    territory = forms.CharField(
        label=_("Where"), max_length=1000, initial="*", help_text=_("Country codes such as KR JP, or * for everywhere.")
    )

    def __init__(self, *args: Any, society_id: int, tariffs: Collection[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tariff"].queryset = Tariff.objects.filter(pk__in=tariffs).order_by("name")  # type: ignore[attr-defined]
        published = StandardTerms.objects.published().filter(society_id=society_id).order_by("ref")
        self.fields["standard_terms"].queryset = published  # type: ignore[attr-defined]

    def clean_tiers(self) -> list[str]:
        return [tier.strip() for tier in self.cleaned_data["tiers"].split(",") if tier.strip()]

    def clean_kinds(self) -> list[str]:
        return self.cleaned_data["kinds"] or [terms.ANY]

    def clean_territory(self) -> list[str]:
        return [code for code in re.split(r"[\s,;]+", self.cleaned_data["territory"]) if code]


class TakeForm(forms.Form):
    """The firm's choices: its size and what shows it, the first day, and for what it uses the works."""

    tier = forms.ChoiceField(label=_("How large are you?"), widget=forms.RadioSelect)
    tier_evidence = forms.CharField(
        label=_("What shows your size?"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "For example your business registration number, how many people you employ, and your revenue of last year. "
            "The society may check it; a wrong size ends the licence."
        ),
    )
    term_from = forms.DateField(
        label=_("First day"), widget=DAY, help_text=_("Nothing is licensed before. Within 90 days from today.")
    )
    ai_models = forms.CharField(
        label=_("Which models?"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("One a line. Empty: any model of yours."),
    )
    datasets = forms.CharField(
        label=_("Which datasets?"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("One a line. Empty: any."),
    )

    def __init__(self, *args: Any, tiers: list[tuple[str, str]], today: datetime.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["term_from"].initial = today
        if [code for code, _label in tiers] == [""]:
            del self.fields["tier"], self.fields["tier_evidence"]
        else:
            self.fields["tier"].initial = tiers[0][0] if tiers else ""
            self.fields["tier"].choices = tiers  # type: ignore[attr-defined]
            self.fields["tier_evidence"].required = True

    def clean_ai_models(self) -> list[str]:
        return str(self.cleaned_data["ai_models"]).splitlines()

    def clean_datasets(self) -> list[str]:
        return str(self.cleaned_data["datasets"]).splitlines()
