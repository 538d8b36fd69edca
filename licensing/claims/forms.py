"""What people enter about unmatched items and claims."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from licensing import labels, terms
from licensing.claims.services.claiming import LONGEST, LONGEST_REASON, works_of
from licensing.repertoire.models import Holder, Work


class NewWorkForm(forms.Form):
    """A work that the register lacks, made of an item."""

    ref = forms.CharField(label=_("Reference"), max_length=64, help_text=_("Your own number for it."))
    kind = forms.ChoiceField(label=_("Kind"))
    title = forms.CharField(label=_("Title"), max_length=1000)
    creators = forms.CharField(
        label=_("Creators"), max_length=2000, required=False, help_text=_("Several are separated by a semicolon.")
    )
    identifiers = forms.CharField(
        label=_("Identifiers"), required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One a line, with its scheme: isbn:9788936434267"),
    )  # fmt: skip
    reason = forms.CharField(label=_("Why, in a few words"), max_length=LONGEST_REASON, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = [(code, labels.label(code)) for code in terms.KINDS]  # type: ignore[attr-defined]

    @property
    def values(self) -> dict[str, Any]:
        given = dict(self.cleaned_data)
        return given | {"identifiers": [line.strip() for line in given["identifiers"].splitlines() if line.strip()]}


class ClaimForm(forms.Form):
    """For which member, which registered work it is (or none yet), why, and what shows it."""

    holder = forms.ModelChoiceField(Holder.objects.none(), label=_("For whom"), empty_label=None)
    work = forms.ModelChoiceField(
        Work.objects.none(), label=_("Your work"), required=False, empty_label=_("not registered yet"),
        help_text=_("If it is on record. If not, register it as well: a claim is accepted once there is a work."),
    )  # fmt: skip
    statement = forms.CharField(
        label=_("Why it is yours"), max_length=LONGEST, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("What you made, when, and where it was published."),
    )  # fmt: skip
    evidence = forms.FileField(
        label=_("Something that shows it"), required=False,
        help_text=_("A contract, a title page, a screenshot: one file of at most 20 MB. Only the society sees it."),
    )  # fmt: skip

    def __init__(self, *args: Any, holders: list[Holder], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ids = [holder.pk for holder in holders]
        self.fields["holder"].queryset = Holder.objects.filter(pk__in=ids)  # type: ignore[attr-defined]
        works = [work.pk for holder in holders for work in works_of(holder)]
        self.fields["work"].queryset = Work.objects.filter(pk__in=works).order_by("title", "pk")  # type: ignore[attr-defined]
        if len(holders) == 1:
            self.fields["holder"].widget = forms.HiddenInput()
            self.fields["holder"].initial = ids[0]
