"""What people enter about the book: the day through which it is closed."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class CloseForm(forms.Form):
    through = forms.DateField(
        label=_("Close through"),
        help_text=_("No journal can be dated on that day or before any more. This is never undone."),
        widget=forms.DateInput(attrs={"type": "date"}),
    )
