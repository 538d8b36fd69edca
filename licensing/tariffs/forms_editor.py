"""The fields of the tariff editor. They only show and carry: what is wrong, the tariff's own reader says."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.forms.boundfield import BoundField
from django.forms.utils import ErrorDict
from django.utils.datastructures import MultiValueDict
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from licensing import labels, terms
from licensing.tariffs import editing
from licensing.tariffs.currencies import MINOR_DIGITS
from licensing.tariffs.reading import Problem
from licensing.tariffs.schedule import PERIODS, Charge, Schedule

Texts = dict[str, Any]

MODELS: Final[Texts] = {
    "flat": gettext_lazy("Fixed amount a period"),
    "per_unit": gettext_lazy("Price for so many units"),
    "graduated": gettext_lazy("Tiers, each at its own price"),
    "volume": gettext_lazy("Tiers, the one reached prices all"),
    "package": gettext_lazy("Packages"),
    "per_work": gettext_lazy("Price for each work"),
    "percentage": gettext_lazy("Percentage of a declared amount"),
}
LABELS: Final[Texts] = {
    "tariff": gettext_lazy("Reference"),
    "version": gettext_lazy("Version"),
    "name": gettext_lazy("Name"),
    "currency": gettext_lazy("Currency"),
    "valid_from": gettext_lazy("First day in force"),
    "valid_to": gettext_lazy("First day after it"),
    "combine": gettext_lazy("How the charges come together"),
    "minimum": gettext_lazy("Minimum a period"),
    "cap": gettext_lazy("Cap a period"),
    "period_months": gettext_lazy("Billing period"),
    "self_service-months": gettext_lazy("Sold at once, for so many months"),
    "self_service-tiers": gettext_lazy("Sold at once to these tiers"),
    "model": gettext_lazy("How it is priced"),
    "uses": gettext_lazy("Uses"),
    "kinds": gettext_lazy("Kinds of work"),
    "unit": gettext_lazy("Unit"),
    "count": gettext_lazy("Or a number that the licensee declares"),
    "licensee_tiers": gettext_lazy("Only for licensees of these tiers"),
    "amount": gettext_lazy("Amount"),
    "per": gettext_lazy("For so many"),
    "price": gettext_lazy("Price"),
    "size": gettext_lazy("Size of a package"),
    "base": gettext_lazy("Name of the declared amount"),
    "percent": gettext_lazy("Percent"),
    "up_to": gettext_lazy("Up to and including"),
}
HELP: Final[Texts] = {
    "tariff": gettext_lazy("Short and lasting, such as WEB. All versions of a tariff share it."),
    "valid_to": gettext_lazy("Empty: until a later version takes its place."),
    "minimum": gettext_lazy("Empty: none. In whole money, such as 50,000,000."),
    "period_months": gettext_lazy("The length of the period that the prices are for."),
    "self_service-months": gettext_lazy("Empty: every licence is negotiated. Only fixed amounts can be sold at once."),
    "self_service-tiers": gettext_lazy("One a line. Empty: to all."),
    "count": gettext_lazy("Its name, such as subscribers or students. It takes the place of the unit."),
    "licensee_tiers": gettext_lazy("One a line, such as small. Empty: for every licensee."),
    "base": gettext_lazy("Such as revenue."),
}
OPTIONAL: Final = frozenset(
    {"valid_to", "minimum", "cap", "period_months", "self_service-months", "self_service-tiers", "count", "licensee_tiers", "up_to"}
)  # fmt: skip
COMBINATIONS: Final = (
    ("sum", gettext_lazy("all add up")),
    ("greatest", gettext_lazy("only the greatest counts")),
)
# What the reader says of documents, as it is said of fields.
SAID: Final[Texts] = {
    "missing": gettext_lazy("Fill this in."),
    "not_text": gettext_lazy("Fill this in."),
    "not_an_integer": gettext_lazy("Write a whole number."),
    "not_a_day": gettext_lazy("Choose a day."),
    "unknown_term": gettext_lazy("Choose one."),
    "not_a_decimal": gettext_lazy("Write a number such as 0.05, with at most 12 decimals."),
    "not_after_start": gettext_lazy("This must be later than the first day in force."),
    "last_tier_not_open": gettext_lazy("Leave this empty: the last tier prices all that is above the others."),
}


class Fields(forms.Form):
    """Fields with the texts they were given. A problem is told at its field; there is no other validation."""

    use_required_attribute = False

    def full_clean(self) -> None:
        self._errors = ErrorDict()
        self.cleaned_data = {}

    def tell(self, name: str, detail: str) -> None:
        auto_id = self[name].auto_id
        found = self.errors.setdefault(name, self.error_class(renderer=self.renderer, field_id=auto_id))
        if detail not in found:
            found.append(detail)

    def add(self, name: str, *, choices: Any = None, several: bool = False, rows: int = 0, day: bool = False) -> None:
        widget: forms.Widget = forms.TextInput(attrs={"autocomplete": "off"})
        if choices is not None:
            widget = forms.CheckboxSelectMultiple(choices=choices) if several else forms.Select(choices=choices)
        elif rows:
            widget = forms.Textarea(attrs={"rows": rows})
        elif day:
            widget = forms.DateInput(attrs={"type": "date"})
        elif name in (*editing.WHOLE, "amount", "price", "percent", "minimum", "cap", "self_service-months"):
            widget.attrs["inputmode"] = "decimal"
        required = name not in OPTIONAL
        self.fields[name] = forms.Field(
            label=LABELS[name], help_text=HELP.get(name, ""), widget=widget, required=required
        )


class HeaderForm(Fields):
    def __init__(self, data: MultiValueDict[str, str]) -> None:
        super().__init__(data, auto_id="ed-%s")
        for name in ("name", "tariff", "version"):
            self.add(name)
        self.add("currency", choices=[(code, code) for code in _currencies()])
        for name in ("valid_from", "valid_to"):
            self.add(name, day=True)
        for name in ("minimum", "cap"):
            self.add(name)
        self.add("combine", choices=COMBINATIONS)
        self.add("period_months", choices=[("", _("any")), *((str(n), _("%(n)s months") % {"n": n}) for n in PERIODS)])
        self.add("self_service-months")
        self.add("self_service-tiers", rows=2)


class ChargeForm(Fields):
    """One charge, with the fields of its model."""

    def __init__(self, data: MultiValueDict[str, str], n: int, charge: Mapping[str, Any]) -> None:
        super().__init__(data, auto_id="ed-%s", prefix=f"charges-{n}")
        counted = editing.counts(charge)
        self.add("name")
        self.add("model", choices=tuple(MODELS.items()))
        for name in editing.keys_of(editing.model_of(charge)):
            self.add(name)
        units = [] if counted and not charge.get("count") else [("", labels.unit_label(terms.ANY))]
        self.add("unit", choices=[*units, *((code, capfirst(labels.unit_label(code))) for code in terms.UNITS)])
        if counted:
            self.add("count")
        for name, known in (("uses", terms.USES), ("kinds", terms.KINDS)):
            self.add(name, choices=[(code, labels.label(code)) for code in (terms.ANY, *known)], several=True)
        self.add("licensee_tiers", rows=2)

    def own(self) -> Iterator[BoundField]:
        """The fields that price it, but for its tiers."""
        return (self[name] for name in self.fields if name not in ("name", "model", "uses", "kinds", "licensee_tiers"))


class TierForm(Fields):
    def __init__(self, data: MultiValueDict[str, str], n: int, row: int, *, last: bool) -> None:
        super().__init__(data, auto_id="ed-%s", prefix=f"charges-{n}-tiers-{row}")
        self.add("up_to")
        self.add("price")
        label = _("Up to and including, tier %(n)s") if not last else _("Above the others, tier %(n)s")
        self.fields["up_to"].label = label % {"n": row + 1}
        self.fields["price"].label = _("Price, tier %(n)s") % {"n": row + 1}


@dataclass(slots=True)
class ChargeRow:
    """A charge as the editor shows it: open as a form with its tiers, or closed."""

    n: int
    charge: Mapping[str, Any]
    form: ChargeForm | None
    tiers: list[TierForm]
    json: str = ""
    was: str = ""
    parsed: Charge | None = None
    problems: tuple[str, ...] = ()

    @property
    def number(self) -> int:
        return self.n + 1

    @property
    def model(self) -> Any:
        return MODELS.get(editing.model_of(self.charge), "")


@dataclass(frozen=True, slots=True)
class Told:
    """A problem as the summary lists it: where, what, and the field to go to."""

    where: str
    detail: str
    anchor: str


class Editor:
    """The form of a document, and its problems each in its place."""

    def __init__(self, document: Mapping[str, Any], opened: Collection[int]) -> None:
        self.document = document
        data = MultiValueDict(editing.write(document, opened))
        self.header = HeaderForm(data)
        self.charges = [
            self._row(data, n, charge, n in opened) for n, charge in enumerate(editing.charges_of(document))
        ]
        self.forms: dict[str, tuple[Fields, str]] = {}
        for form in self._all_forms():
            self.forms |= {form.add_prefix(name): (form, name) for name in form.fields}
        self.told: list[Told] = []

    def say(self, schedule: Schedule | None) -> None:
        """Let closed charges be said in words, where the document can be read."""
        for row, charge in zip(self.charges, schedule.charges if schedule else (), strict=False):
            row.parsed = charge

    def tell(self, problems: Collection[Problem]) -> None:
        known = {*self.forms, *(f"charges-{row.n}" for row in self.charges), "self_service"}
        for problem in problems:
            name = editing.field_of(problem.pointer, known)
            name = "self_service-months" if name == "self_service" else name
            detail = str(SAID.get(problem.code) or _(problem.template).format(**problem.values))
            if name in self.forms:
                form, key = self.forms[name]
                form.tell(key, detail)
                self.told.append(Told(self._where(form, key), detail, str(form[key].auto_id)))
            elif name:
                row = self.charges[int(name.split("-")[1])]
                row.problems = (*row.problems, detail)
                self.told.append(Told(self._charge(row.n), detail, f"ed-{name}"))
            else:
                self.told.append(Told(_("Charges"), detail, "ed-charges"))

    def slots(self) -> Iterator[BoundField]:
        """Every field, for its place of errors."""
        return (form[name] for form, name in self.forms.values())

    def _where(self, form: Fields, key: str) -> str:
        label: str | Promise = form.fields[key].label or ""
        return f"{self._charge(int(form.prefix.split('-')[1]))}: {label}" if form.prefix else str(label)

    def _charge(self, n: int) -> str:
        return str(self.charges[n].charge.get("name") or _("Charge %(n)s") % {"n": n + 1})

    def _row(self, data: MultiValueDict[str, str], n: int, charge: Mapping[str, Any], is_open: bool) -> ChargeRow:
        if not is_open:
            return ChargeRow(n, charge, None, [], json=str(data[f"charges-{n}-json"]))
        tiers = len(editing.tiers_of(charge)) if editing.has_tiers(charge) else 0
        rows = [TierForm(data, n, row, last=row == tiers - 1) for row in range(tiers)]
        return ChargeRow(n, charge, ChargeForm(data, n, charge), rows, was=str(data[f"charges-{n}-was"]))

    def _all_forms(self) -> Iterator[Fields]:
        yield self.header
        for row in self.charges:
            if row.form:
                yield row.form
            yield from row.tiers


def _currencies() -> list[str]:
    first = ["KRW", "USD", "EUR", "JPY"]
    return [*first, *sorted(code for code in MINOR_DIGITS if code not in first)]
