"""What people enter about mandates."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from licensing import labels, terms
from licensing.repertoire.models import Holder

DAY = forms.DateInput(attrs={"type": "date"})


class MandateForm(forms.Form):
    """A new mandate of one member. Nothing ticked under kinds means any."""

    holder = forms.CharField(label=_("Member"), max_length=64, help_text=_("The member's reference."))
    uses = forms.MultipleChoiceField(label=_("Uses"), widget=forms.CheckboxSelectMultiple)
    kinds = forms.MultipleChoiceField(
        label=_("Kinds of work"), widget=forms.CheckboxSelectMultiple, required=False, help_text=_("None ticked: any.")
    )
    territory = forms.CharField(
        label=_("Territory"), max_length=1000, initial="*", help_text=_("Country codes such as KR JP, or * for all.")
    )
    valid_from = forms.DateField(label=_("First day"), widget=DAY)
    valid_to = forms.DateField(
        label=_("First day after the mandate"), widget=DAY, required=False, help_text=_("Empty: no end.")
    )

    def __init__(self, *args: Any, society_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.society_id = society_id
        self.fields["uses"].choices = [(code, labels.label(code)) for code in terms.USES]  # type: ignore[attr-defined]
        self.fields["kinds"].choices = [(code, labels.label(code)) for code in terms.KINDS]  # type: ignore[attr-defined]

    def clean_holder(self) -> Holder:
        found = Holder.objects.filter(society_id=self.society_id, ref=self.cleaned_data["holder"].strip()).first()
        if found is None:
            raise forms.ValidationError(_("You have no member with this reference."))
        return found

    def clean_kinds(self) -> list[str]:
        return self.cleaned_data["kinds"] or [terms.ANY]

    def clean_territory(self) -> list[str]:
        return [code for code in re.split(r"[\s,;]+", self.cleaned_data["territory"]) if code]


class EndForm(forms.Form):
    on = forms.DateField(
        label=_("First day without it"), widget=DAY, help_text=_("What was used before this day stays mandated.")
    )


class SchemeSwitchForm(forms.Form):
    """Why a statutory scheme is to be switched."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("It is kept as evidence, and the person who decides reads it."),
    )


class SchemeDecisionForm(forms.Form):
    """What the second person says."""

    reason = forms.CharField(label=_("Note"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2}))
