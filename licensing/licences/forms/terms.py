"""What a society enters to write its standard terms: a name, the conditions, and one clause after another, in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import REF
from licensing.licences import clauses

_SWITCHES: Final = {
    "retention_days": _("copies may be kept for a limited time"),
    "output_limit": _("outputs have a limit"),
    "sublicensing": _("sub-licences are allowed"),
    "deletion_days": _("copies are deleted at the end"),
    "audit_notice_days": _("there is a right of audit"),
    "reporting_months": _("use is reported"),
}


class NameForm(forms.Form):
    """Under which reference and name the terms stand."""

    ref = forms.CharField(
        label=_("Reference"), max_length=64, validators=[REF], help_text=_("Short, such as STANDARD. It stays.")
    )
    name_en = forms.CharField(label=_("Name in English"), max_length=200)
    name_ko = forms.CharField(label=_("Name in Korean"), max_length=200)


def _text(label: Any, rows: int = 5) -> forms.CharField:
    area = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, max_length=clauses.MOST_CHARACTERS, required=False, widget=area)


class ClauseForm(forms.Form):
    """One clause. One that is left empty is left out."""

    heading_en = forms.CharField(label=_("Heading in English"), max_length=200, required=False)
    heading_ko = forms.CharField(label=_("Heading in Korean"), max_length=200, required=False)
    text_en = _text(_("Text in English"))
    text_ko = _text(_("Text in Korean"))
    holds = forms.ChoiceField(label=_("When it holds"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        only = [(f"when:{name}", _("only if %(what)s") % {"what": what}) for name, what in _SWITCHES.items()]
        unless = [(f"unless:{name}", _("only if not: %(what)s") % {"what": what}) for name, what in _SWITCHES.items()]
        self.fields["holds"].choices = [("", _("always")), *only, *unless]  # type: ignore[attr-defined]

    @property
    def is_empty(self) -> bool:
        data = self.cleaned_data
        return not any((data.get(name) or "").strip() for name in ("heading_en", "heading_ko", "text_en", "text_ko"))

    @property
    def clause(self) -> dict[str, Any]:
        data = self.cleaned_data
        switch, _colon, name = data["holds"].partition(":")
        return {
            **({switch: name} if name else {}),
            "heading": {"en": data["heading_en"], "ko": data["heading_ko"]},
            "text": {"en": data["text_en"], "ko": data["text_ko"]},
        }


ClauseForms = forms.formset_factory(
    ClauseForm, extra=1, max_num=clauses.MOST_CLAUSES, absolute_max=clauses.MOST_CLAUSES + 1, validate_max=True
)


def shown(clause: Mapping[str, Any]) -> dict[str, str]:
    """A clause as its form starts."""
    holds = next((f"{switch}:{clause[switch]}" for switch in ("when", "unless") if clause.get(switch)), "")
    both = {f"{part}_{language}": clause[part][language] for part in ("heading", "text") for language in ("en", "ko")}
    return both | {"holds": holds}


def place(pointer: str, kept: Sequence[int]) -> tuple[int | None, str]:
    """The clause's form and field that a problem's pointer speaks of, or None and a field of the name's form.

    >>> place("/clauses/1/text/ko", [0, 2]), place("/name/en", []), place("/clauses", [])
    ((2, 'text_ko'), (None, 'name_en'), (None, ''))
    """
    parts = pointer.strip("/").split("/")
    if parts[0] == "clauses" and len(parts) > 2 and int(parts[1]) < len(kept):
        field = "holds" if parts[2] in ("when", "unless") else "_".join(parts[2:4])
        return kept[int(parts[1])], field if field in ClauseForm.base_fields else "heading_en"
    known = {"name/en": "name_en", "name/ko": "name_ko", "terms": "ref"}
    return None, known.get("/".join(parts), "")
