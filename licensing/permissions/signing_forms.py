"""What a member enters to give a mandate: uses, kinds, where, from when; and their name as signature."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from licensing import labels, terms
from licensing.permissions import wording
from licensing.permissions.forms import DAY
from licensing.permissions.models import MandateTerms
from licensing.permissions.reserve_forms import UsesForm
from licensing.repertoire.models import Holder


class SignForm(UsesForm):
    """`free` are the uses that no mandate covers wholly yet."""

    kinds = forms.MultipleChoiceField(
        label=_("Kinds of work"),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("None ticked: all that you make."),
    )
    since = forms.DateField(label=_("First day"), widget=DAY, help_text=_("Today or later."))
    version = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**31 - 1)
    typed_name = forms.CharField(
        label=_("Your name, as signature"),
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    agreed = forms.BooleanField(
        label=_("I have read the terms and give this mandate."),
        error_messages={"required": _("Tick this to sign.")},
    )

    field_order = ["uses", "kinds", "territory", "since", "typed_name", "agreed", "version"]

    def __init__(self, *args: Any, holder: Holder, terms_: MandateTerms, free: Collection[str], **kwargs: Any) -> None:
        kwargs.setdefault("initial", {})
        kwargs["initial"] = {"since": timezone.localdate(), "version": terms_.version, "uses": []} | kwargs["initial"]
        super().__init__(*args, **kwargs)
        self.free = [code for code in terms.USES if code in free]
        uses, territory = self.fields["uses"], self.fields["territory"]
        uses.label, uses.help_text = (
            _("What you allow"),
            _("Tick only what you want to allow. Nothing is ticked for you."),
        )
        uses.choices = [(code, wording.use_name(code)) for code in self.free]  # type: ignore[attr-defined]
        territory.label = _("Only in these countries")
        self.fields["kinds"].choices = [(code, labels.label(code)) for code in terms.KINDS]  # type: ignore[attr-defined]
        names = dict.fromkeys(name for name in (holder.name_ko, holder.name) if name)
        self.fields["typed_name"].help_text = _("Type it as it is on record: %(name)s.") % {"name": " / ".join(names)}

    @property
    def meanings(self) -> list[tuple[str, str, str, bool]]:
        return [each for each in super().meanings if each[0] in self.free]

    def clean_kinds(self) -> list[str]:
        return self.cleaned_data["kinds"] or [terms.ANY]
