"""What people enter about cases."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from licensing.compliance.core import LONGEST_TEXT, MAX_AMOUNT
from licensing.compliance.models import Case
from licensing.licences.models import Licence


def text(label: Any, help_text: Any = "") -> forms.CharField:
    return forms.CharField(
        label=label, help_text=help_text, max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 4})
    )


class DisputeForm(forms.Form):
    answer = text(_("Why you dispute it"), _("The society reads it, and decides again."))


class LicenceForm(forms.Form):
    """A licence between the two parties of a case."""

    licence = forms.ChoiceField(label=_("Licence"))

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        between = Licence.objects.licensing().filter(society_id=case.society_id, licensee_id=case.licensee_id)
        refs = list(between.order_by("ref").values_list("ref", flat=True)[:500])
        field: Any = self.fields["licence"]
        field.choices = [(ref, ref) for ref in refs]
        field.initial = case.licence.ref if case.licence else None


class SettleForm(forms.Form):
    amount = forms.IntegerField(
        label=_("Amount, in minor units"), min_value=0, max_value=MAX_AMOUNT,
        help_text=_("Another amount than what was asked needs a second person. 0: settled without money."),
    )  # fmt: skip
    reason = text(_("What it was settled on"))


class ReasonForm(forms.Form):
    reason = text(_("Reason"))


class DecisionForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), required=False, max_length=LONGEST_TEXT)
