"""What people enter to try the rates of a tariff with."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from licensing import labels, terms
from licensing.tariffs import core, worked
from licensing.tariffs.charges.base import MAX_PER
from licensing.tariffs.currencies import MINOR_DIGITS, major


class PreviewForm(forms.Form):
    """Figures for one use and kind of work: a field for each unit that the tariff prices and each figure it asks for.

    Empty, it shows an example. With `fill`, what the figures lack is taken from there too, and a choice that the tariff
    does not have is replaced: so the editor can ask on while the tariff changes under it.
    """

    use = forms.ChoiceField(label=_("Use"))
    kind = forms.ChoiceField(label=_("Kind of work"))

    def __init__(self, schedule: core.Schedule, data: QueryDict | None = None, *, fill: bool = False) -> None:
        super().__init__(None if data is None else data.copy(), auto_id="try_%s", initial=figures_of(schedule))
        self.schedule = schedule
        charges = schedule.charges
        self._offer("use", _named((c.uses for c in charges), terms.USES))
        self._offer("kind", _named((c.kinds for c in charges), terms.KINDS))
        tiers = sorted({tier for charge in charges for tier in charge.licensee_tiers})
        if tiers:
            none = [("", _("none"))] if any(charge.serves("") for charge in charges) else []
            choices = [*none, *((tier, tier) for tier in tiers)]
            self.fields["tier"] = forms.ChoiceField(
                label=_("Licensee's tier"), required=not none, choices=choices, initial=tiers[0]
            )
        units = (charge.unit for charge in charges if charge.counts_units and charge.unit != terms.ANY)
        for unit in dict.fromkeys(units):
            self.fields[f"units_{unit}"] = _whole(capfirst(labels.unit_label(unit)))
        if any(charge.model == "per_work" for charge in charges):
            self.fields["works"] = _whole(_("Distinct works"))
        for n, count in enumerate(schedule.counts):
            self.fields[f"count_{n}"] = _whole(capfirst(count))
        for n, base in enumerate(schedule.bases):
            label = _("Base “%(base)s”, in %(currency)s") % {"base": base, "currency": schedule.currency}
            self.fields[f"base_{n}"] = forms.CharField(label=label, required=False, max_length=20)
        if fill and isinstance(self.data, QueryDict):
            self._fill(self.data)

    def _offer(self, name: str, codes: Iterable[str]) -> None:
        choices = [(code, labels.label(code)) for code in codes]
        self.fields[name].choices = choices  # type: ignore[attr-defined]
        if isinstance(self.data, QueryDict) and self.is_bound:
            self.data.setdefault(name, str(self.initial.get(name, choices[0][0])))

    def _fill(self, data: QueryDict) -> None:
        for name, field in self.fields.items():
            known = [code for code, _label in getattr(field, "choices", ())]
            if name not in data or (known and data[name] not in known):
                data[name] = str(self.initial.get(name, known[0] if known else ""))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        digits = MINOR_DIGITS[self.schedule.currency]
        for n, _base in enumerate(self.schedule.bases):
            text = (data.get(f"base_{n}") or "").replace(",", "").strip()
            try:
                minor = Decimal(text).scaleb(digits) if text else None
            except InvalidOperation:
                minor = Decimal(-1)
            if minor is not None and not (minor.is_finite() and 0 <= minor <= MAX_PER and minor == int(minor)):
                self.add_error(f"base_{n}", _("Write an amount, such as 412345679."))
                minor = None
            data[f"base_{n}"] = minor
        return data

    def rating(self) -> core.Rating:
        """What these figures come to. Call it on a valid form."""
        data = self.cleaned_data
        use, kind, works = data["use"], data["kind"], data.get("works") or 0
        quantities = [
            core.Quantity(use, kind, name.removeprefix("units_"), data[name], works)
            for name in self.fields
            if name.startswith("units_") and data[name]
        ]
        if works and not quantities:
            quantities = [core.Quantity(use, kind, "work", works, works)]
        asked = [(f"base_{n}", base) for n, base in enumerate(self.schedule.bases)]
        asked += [(f"count_{n}", count) for n, count in enumerate(self.schedule.counts)]
        bases = {figure: int(data[name]) for name, figure in asked if data[name] is not None}
        counted = {charge.name: works for charge in self.schedule.charges if charge.model == "per_work"}
        return core.rate(self.schedule, quantities=quantities, bases=bases, tier=data.get("tier", ""), works=counted)


def figures_of(schedule: core.Schedule) -> dict[str, str]:
    """An example's figures as the fields of the form hold them."""
    example = worked.example(schedule)
    found = {"tier": example.tier}
    if example.quantities:
        first = example.quantities[0]
        found |= {"use": first.use, "kind": first.kind}
        found |= {
            f"units_{q.unit}": str(q.units) for q in example.quantities if (q.use, q.kind) == (first.use, first.kind)
        }
        found["works"] = str(first.works or "")
    found |= {
        f"count_{n}": str(example.bases[count]) for n, count in enumerate(schedule.counts) if count in example.bases
    }
    found |= {f"base_{n}": major(example.bases[base], schedule.currency) for n, base in enumerate(schedule.bases)}
    return found


def _named(groups: Iterable[tuple[str, ...]], known: Iterable[str]) -> list[str]:
    """The codes that these lists name, all known ones where one of them says any; in the order of the field."""
    named = {code for group in groups for code in group}
    return [code for code in known if terms.ANY in named or code in named]


def _whole(label: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, min_value=0, max_value=MAX_PER)
