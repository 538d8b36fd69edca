"""What people enter: the day of a close and a remark, the year of a report and what the society says in it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from royalties.reports.labels import NOTES
from royalties.reports.services.closing import MOST_REMARK
from royalties.reports.services.reporting import MOST_NOTE


class CloseForm(forms.Form):
    through = forms.DateField(
        label=_("Close through"),
        help_text=_("No journal can be dated on that day or before any more. This is never undone."),
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    remark = forms.CharField(
        label=_("Remark"),
        required=False,
        max_length=MOST_REMARK,
        help_text=_("Why the period can be closed although something on the list is left."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class DecisionForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )


class YearForm(forms.Form):
    first = forms.DateField(label=_("First day of the financial year"), widget=forms.DateInput(attrs={"type": "date"}))


class NotesForm(forms.Form):
    """A text a subject of the report."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for code, label in NOTES.items():
            self.fields[code] = forms.CharField(
                label=label, required=False, max_length=MOST_NOTE, widget=forms.Textarea(attrs={"rows": 4})
            )
