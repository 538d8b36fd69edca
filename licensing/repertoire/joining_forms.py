"""What people enter to join a society, and its staff to decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation
from licensing.repertoire.models import Holder


class ApplicationForm(forms.Form):
    society = forms.ModelChoiceField(Organisation.objects.none(), label=_("Society"), empty_label=None)
    kind = forms.ChoiceField(label=_("You join as"), choices=Holder.Kind.choices)
    name = forms.CharField(
        label=_("Name in Latin letters"),
        max_length=300,
        help_text=_("As in your passport or your register: your mandates are signed with it."),
    )
    name_ko = forms.CharField(label=_("Name in Korean"), max_length=300, required=False)
    country = forms.CharField(
        label=_("Country"), max_length=2, initial="KR", help_text=_("Two letters, such as KR."), widget=forms.TextInput
    )
    creates = forms.CharField(
        label=_("What you make"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("In your own words, with one or two titles."),
    )
    ipi = forms.CharField(
        label=_("IPI name number"), max_length=20, required=False, help_text=_("If you have one. Composers often do.")
    )
    isni = forms.CharField(label=_("ISNI"), max_length=30, required=False, help_text=_("If you have one."))
    identity = forms.FileField(label=_("Something that shows who you are"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        societies = Organisation.objects.filter(kind=Organisation.Kind.SOCIETY).order_by("name", "pk")
        self.fields["society"].queryset = societies  # type: ignore[attr-defined]
        self.fields["kind"].choices = [  # type: ignore[attr-defined]
            (Holder.Kind.PERSON.value, _("a person")),
            (Holder.Kind.ORGANISATION.value, _("an organisation, such as a publisher")),
        ]
        self.fields["identity"].help_text = _(
            "An identity card, passport or extract of the register, as PDF, JPEG or PNG, at most %(most)s MB. Only the "
            "people of the society who decide see it, and it is deleted %(days)s days after they have."
        ) % {"most": settings.IDENTITY_MAX_BYTES // 1024**2, "days": settings.IDENTITY_KEPT_DAYS}


class DecisionForm(forms.Form):
    ref = forms.CharField(
        label=_("Reference of the new member"), max_length=64, required=False, help_text=_("Empty: the next free one.")
    )
    answer = forms.CharField(
        label=_("Answer"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The applicant reads it. Needed to refuse."),
    )
