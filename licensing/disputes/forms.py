"""What people enter about conflicts over shares."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from licensing.disputes.core import LEAST_DAYS, MOST_DAYS
from licensing.disputes.models import Dispute
from licensing.disputes.services.answering import lines_of
from licensing.disputes.services.common import LONGEST
from licensing.terms import PPM

FILE_HELP = _("One file of at most 20 MB. Whoever claims a share in this work, and the society, can see it.")


def text(label: Any, help_text: Any = "") -> forms.CharField:
    area = forms.Textarea(attrs={"rows": 3})
    return forms.CharField(label=label, help_text=help_text, max_length=LONGEST, widget=area)


class RaiseForm(forms.Form):
    """Dispute a share."""

    reason = text(_("What is wrong with this share"), _("Whoever claims a share in this work reads it."))
    claimant = forms.CharField(
        label=_("Who else claims it"),
        required=False,
        max_length=64,
        help_text=_("The member's reference, if they have no share on record."),
    )
    evidence = forms.FileField(label=_("Something that shows it"), required=False, help_text=FILE_HELP)

    def __init__(self, *args: Any, by_society: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not by_society:
            del self.fields["claimant"]


class SplitForm(forms.Form):
    """A share for everybody who claims, and from when."""

    def __init__(self, *args: Any, dispute: Dispute, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        proposed = {(each["holder"], each["role"]): each["share"] for each in dispute.split}
        self.keys: dict[str, tuple[int, str]] = {}
        for n, (holder, role, ppm) in enumerate(lines_of(dispute)):
            label = f"{holder} ({role})" if role else str(holder)
            initial = proposed.get(
                (holder.pk, role), f"{ppm * 100 / PPM:.4f}".rstrip("0").rstrip(".") + "%" if ppm else ""
            )
            self.fields[f"share_{n}"] = forms.CharField(label=label, required=False, max_length=40, initial=initial)
            self.keys[f"share_{n}"] = (holder.pk, role)
        self.fields["since"] = forms.DateField(
            label=_("From this day on"), required=False, initial=dispute.since, widget=forms.DateInput(attrs={"type": "date"}),
            help_text=_("Leave it empty to divide all days of the conflict so, from the first one on."),
        )  # fmt: skip

    @property
    def shares(self) -> dict[tuple[int, str], str]:
        return {key: self.cleaned_data[name] for name, key in self.keys.items()}


class ObjectForm(forms.Form):
    statement = text(_("Why you object"), _("Whoever claims a share in this work, and the society, reads it."))
    evidence = forms.FileField(label=_("Something that shows it"), required=False, help_text=FILE_HELP)


class DecisionForm(SplitForm):
    """A decision of the society, by a document."""

    ground = text(_("Judgment or document, and what follows from it"))
    document = forms.FileField(label=_("The document"), required=False, help_text=FILE_HELP)


class ReasonForm(forms.Form):
    reason = text(_("Reason"))


class TermsForm(forms.Form):
    answer_days = forms.IntegerField(label=_("Days to answer"), min_value=LEAST_DAYS, max_value=MOST_DAYS)
    reminders = forms.CharField(
        label=_("Reminders"), max_length=40, help_text=_("Days before the answer is due, with commas: 14, 3")
    )
    valid_from = forms.DateField(label=_("From this day on"), widget=forms.DateInput(attrs={"type": "date"}))

    def clean_reminders(self) -> list[int]:
        parts = [part.strip() for part in self.cleaned_data["reminders"].split(",") if part.strip()]
        if not all(part.isascii() and part.isdigit() and len(part) < 4 for part in parts):
            raise forms.ValidationError(_("Write whole numbers with commas: 14, 3"))
        return [int(part) for part in parts]
