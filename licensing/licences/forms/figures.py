"""The expected use of one billing period, asked for as the tariff prices it: by the firm, and by the society that quotes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from licensing import labels
from licensing.licences import quantities
from licensing.licences.quantities import Asked, Units
from licensing.tariffs.core import Schedule
from licensing.tariffs.currencies import MINOR_DIGITS

MOST: Final = 10**15


class FiguresForm(forms.Form):
    """A field for each figure that the tariff asks for; an empty one counts nothing, and an empty base is missing."""

    def __init__(
        self,
        *args: Any,
        schedule: Schedule,
        uses: Collection[str],
        kinds: Collection[str],
        tier: str | None,
        kept: Collection[Mapping[str, Any]] = (),
        bases: Mapping[str, int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.currency = schedule.currency
        self.asked: Asked = quantities.asked(schedule, uses=uses, kinds=kinds, tier=tier)
        entered = quantities.figures(self.asked, kept)
        for n, of in enumerate(self.asked.units):
            self.fields[f"units_{n}"] = _whole(self._said(of), entered.get(of))
        for n, count in enumerate(self.asked.counts):
            self.fields[f"count_{n}"] = _whole(capfirst(count), (bases or {}).get(count))
        for n, base in enumerate(self.asked.bases):
            label = _("“%(base)s”, in %(currency)s") % {"base": base, "currency": schedule.currency}
            value = (bases or {}).get(base)
            self.fields[f"base_{n}"] = forms.CharField(
                label=label, required=False, max_length=24, initial=None if value is None else self._major(value)
            )
            self.fields[f"base_{n}"].widget.attrs["inputmode"] = "decimal"

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for n, _base in enumerate(self.asked.bases):
            text = (data.get(f"base_{n}") or "").replace(",", "").strip()
            try:
                minor = Decimal(text).scaleb(MINOR_DIGITS[self.currency]) if text else None
            except InvalidOperation:
                minor = Decimal(-1)
            if minor is not None and not (minor.is_finite() and 0 <= minor <= MOST and minor == int(minor)):
                self.add_error(f"base_{n}", _("Write an amount, such as 412345679."))
                minor = None
            data[f"base_{n}"] = minor
        return data

    @property
    def quantities(self) -> list[dict[str, Any]]:
        """As a request keeps them. Call it on a valid form."""
        figures = {of: self.cleaned_data[f"units_{n}"] or 0 for n, of in enumerate(self.asked.units)}
        return quantities.rows(figures)

    @property
    def bases(self) -> dict[str, int]:
        """Declared counts, and amounts in minor units, by name."""
        data = self.cleaned_data
        counts = {count: data[f"count_{n}"] for n, count in enumerate(self.asked.counts)}
        amounts = {base: data[f"base_{n}"] for n, base in enumerate(self.asked.bases)}
        return {name: int(value) for name, value in (counts | amounts).items() if value is not None}

    def _said(self, of: Units) -> str:
        """`Tokens`, or `Tokens of book for training` where other figures of the same unit are asked for too."""
        what = _("Distinct works") if of.works else capfirst(labels.unit_label(of.unit))
        if sum(other.works == of.works and (of.works or other.unit == of.unit) for other in self.asked.units) < 2:
            return what
        uses, kinds = (", ".join(map(labels.label, codes)) for codes in (of.uses, of.kinds))
        return _("%(what)s: %(kinds)s, for %(uses)s") % {"what": what, "kinds": kinds, "uses": uses}

    def _major(self, minor: int) -> str:
        return format(Decimal(minor).scaleb(-MINOR_DIGITS[self.currency]), "f")


def _whole(label: Any, initial: int | None) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=0, max_value=MOST, initial=initial)
