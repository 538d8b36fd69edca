"""What people enter about sites, and the signals that they hand in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.identity.core import Actor
from licensing.repertoire.models import Holder

MOST_CHOICES = 200  # of holders whom one person represents


class _OfAHolder(forms.Form):
    """Staff type a member's reference; a creator chooses among those whom they represent, if there are several."""

    holder = forms.CharField(label=_("Member"), max_length=64, help_text=_("The member's reference."))

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = Holder.objects.visible_to(actor).select_related("society")
        if not actor.is_society:
            own = list(self.known.order_by("name", "pk")[:MOST_CHOICES])
            choices = [(str(holder.pk), f"{holder} · {holder.society}") for holder in own]
            self.fields["holder"] = forms.ChoiceField(
                label=_("For"), choices=choices, widget=forms.Select if len(own) > 1 else forms.HiddenInput,
                initial=choices[0][0] if choices else None,
            )  # fmt: skip
        self.by = "ref" if actor.is_society else "pk"

    def clean_holder(self) -> Holder:
        found = self.known.filter(**{self.by: self.cleaned_data["holder"].strip()}).first()
        if found is None:
            raise forms.ValidationError(_("You have no member with this reference."))
        return found


class SiteForm(_OfAHolder):
    """A host of a holder."""

    host = forms.CharField(
        label=_("Web site"),
        max_length=300,
        help_text=_("The host alone, such as example.com or blog.example.com."),
        widget=forms.TextInput(attrs={"placeholder": "example.com", "inputmode": "url", "autocapitalize": "none"}),
    )


class HandInForm(_OfAHolder):
    """A file or a text that says what is reserved, and what it is about."""

    about = forms.ChoiceField(
        label=_("What it is about"),
        choices=[
            ("work", _("one of my works, by reference or identifier")),
            ("place", _("a web address")),
            ("identifier", _("an identifier, such as an ISCC code")),
        ],
        widget=forms.RadioSelect,
        initial="work",
    )
    which = forms.CharField(
        label=_("Which one"),
        max_length=2048,
        help_text=_("Such as W-123 or isbn:9788936434267; example.com/books; iscc:KACT…"),
    )
    file = forms.FileField(
        label=_("File"),
        required=False,
        help_text=_("EPUB, PDF, picture, sound or film with content credentials, RSL, JSON, robots.txt."),
    )
    text = forms.CharField(
        label=_("Or the text"),
        required=False,
        max_length=200_000,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text=_("For instance the lines of a robots.txt, or a Content-Usage header."),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if bool(given.get("file")) == bool((given.get("text") or "").strip()):
            raise forms.ValidationError(_("Choose a file, or paste the text: one of the two."))
        return given
