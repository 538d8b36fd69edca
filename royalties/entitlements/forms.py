"""What people enter about the rights of others: to whom, which part, from when, on which paper."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from accounts.identity.core import Actor
from accounts.organisations.models import Organisation
from licensing import labels, terms
from licensing.repertoire.models import Holder
from royalties.entitlements.models import Entitlement
from royalties.payees.models import Payee

MOST = 10**15  # minor units


def day(label: Any, help_text: Any = "", required: bool = True) -> forms.DateField:
    return forms.DateField(
        label=label, help_text=help_text, required=required, widget=forms.DateInput(attrs={"type": "date"})
    )


def percent(label: Any, help_text: Any = "") -> forms.DecimalField:
    return forms.DecimalField(
        label=label, help_text=help_text, min_value=Decimal("0.0001"), max_value=100, max_digits=7, decimal_places=4, initial=100
    )  # fmt: skip


class MemberField(forms.CharField):
    """A member of the society by reference, as lists of members show it."""

    society_id: int | None = None

    def clean(self, value: Any) -> Holder | None:
        ref = super().clean(value)
        if not ref:
            return None
        found = Holder.objects.filter(society_id=self.society_id, ref=ref).first()
        if found is None:
            raise forms.ValidationError(_now("There is no member with the reference “%(ref)s”.") % {"ref": ref[:64]})
        return found


class EntitlementForm(forms.Form):
    """A right of somebody else. Which fields it needs depends on its kind; the service says what is missing, at its field."""

    kind = forms.ChoiceField(label=_("What it is"), choices=Entitlement.Kind.choices)
    holder = MemberField(label=_("Whose money (member’s reference)"), max_length=64)
    to_holder = MemberField(
        label=_("Heir or assignee (member’s reference)"),
        max_length=64,
        required=False,
        help_text=_(
            "Of an assignment or a succession: who gets it is a member too, so that they see their statements."
        ),
    )
    to_payee = forms.ModelChoiceField(
        Payee.objects.none(),
        label=_("Paid to"),
        required=False,
        help_text=_("Of a garnishment or another payee: who is paid. Record their payment details first."),
    )
    portion = percent(_("Portion, in percent"), _("Of a garnishment: the most that the order allows of each payment."))
    ceiling = forms.IntegerField(
        label=_("In all at most, in minor units"),
        min_value=1,
        max_value=MOST,
        required=False,
        help_text=_("Of a garnishment with a fixed total."),
    )
    currency = forms.CharField(label=_("Currency of that total"), min_length=3, max_length=3, required=False)
    priority = forms.IntegerField(
        label=_("Order"),
        min_value=0,
        max_value=1000,
        initial=0,
        help_text=_("Of several, the smaller number is served first."),
    )
    with_arrears = forms.BooleanField(
        label=_("With arrears"),
        required=False,
        help_text=_(
            "Of an assignment: what stands to the credit on the first day goes too. Heirs always take it over."
        ),
    )
    valid_from = day(_("First day"), _("Of a succession: the day of the death."))
    valid_to = day(_("First day without it"), _("Leave it empty where no end is known."), required=False)
    basis = forms.CharField(
        label=_("Rests on"),
        max_length=300,
        help_text=_("The contract, order or certificate, with its date and number."),
    )
    file = forms.FileField(
        label=_("The document"), help_text=_("As you received it. It is kept and shown to whoever approves.")
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("holder", "to_holder"):
            field: Any = self.fields[name]
            field.society_id = actor.organisation_id
        paid: Any = self.fields["to_payee"]
        paid.queryset = Payee.objects.filter(society_id=actor.organisation_id, holder=None).order_by("name")

    def said(self) -> dict[str, Any]:
        """What the service is asked for, without the document."""
        data = {name: value for name, value in self.cleaned_data.items() if name not in ("file", "portion")}
        return data | {
            "ppm": int(self.cleaned_data["portion"] * 10_000),
            "currency": self.cleaned_data["currency"].upper(),
        }


class AdvanceForm(forms.Form):
    holder = MemberField(label=_("Member’s reference"), max_length=64)
    amount = forms.IntegerField(label=_("Amount, in minor units"), min_value=1, max_value=MOST)
    currency = forms.CharField(label=_("Currency"), min_length=3, max_length=3, initial="KRW")
    portion = percent(_("Recouped by, in percent"), _("Of everything that comes in for the member after it is paid."))
    stays = forms.IntegerField(
        label=_("Stays with the member each time, in minor units"), min_value=0, max_value=MOST, initial=0
    )
    reason = forms.CharField(label=_("Reason"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["holder"]
        field.society_id = actor.organisation_id

    def said(self) -> dict[str, Any]:
        data = {name: value for name, value in self.cleaned_data.items() if name != "portion"}
        return data | {"ppm": int(self.cleaned_data["portion"] * 10_000), "currency": data["currency"].upper()}


class PaidForm(forms.Form):
    """A payment as the bank carried it out."""

    on = day(_("Paid on"))
    paid = forms.IntegerField(label=_("Amount that left the bank, in minor units"), min_value=0, max_value=MOST)
    bank_reference = forms.CharField(
        label=_("Bank reference"), max_length=140, help_text=_("It makes the payment count once.")
    )


class SisterPaidForm(forms.Form):
    on = day(_("Paid on"))
    bank_reference = forms.CharField(
        label=_("Bank reference"), max_length=140, help_text=_("It makes the payment count once.")
    )


class AgreementForm(forms.Form):
    """A representation agreement. Deductions one a line, in their order: a name and a percentage."""

    sister = forms.ModelChoiceField(Organisation.objects.none(), label=_("Sister society"))
    uses = forms.MultipleChoiceField(label=_("Uses"), widget=forms.CheckboxSelectMultiple)
    territory = forms.CharField(
        label=_("Territory"),
        initial="*",
        max_length=200,
        help_text=_("Country codes such as FR;BE, or * for everywhere."),
    )
    deductions = forms.CharField(
        label=_("Deducted before it is paid to them"),
        required=False,
        max_length=2000,
        help_text=_("One a line, in their order, each from what is left: “administration 15”."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    valid_from = day(_("First day"))
    valid_to = day(_("First day without it"), _("Leave it empty where no end is known."), required=False)
    file = forms.FileField(
        label=_("The document"), help_text=_("As you received it. It is kept and shown to whoever approves.")
    )

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        societies = Organisation.objects.filter(kind=Organisation.Kind.SOCIETY).exclude(pk=actor.organisation_id or 0)
        sister: Any = self.fields["sister"]
        sister.queryset = societies.order_by("name")
        uses: Any = self.fields["uses"]
        uses.choices = [(code, labels.label(code)) for code in (terms.ANY, *terms.USES)]

    def clean_territory(self) -> list[str]:
        return [code for code in self.cleaned_data["territory"].upper().replace(",", ";").split(";") if code.strip()]

    def clean_deductions(self) -> list[tuple[str, Decimal]]:
        found = []
        for line in filter(str.strip, self.cleaned_data["deductions"].splitlines()):
            name, _blank, rate = line.strip().rstrip("%").strip().rpartition(" ")
            try:
                percent = Decimal(rate)
                if not percent.is_finite() or not name:
                    raise ValueError(rate)
            except (ArithmeticError, ValueError):
                raise forms.ValidationError(
                    _now("Write a name, a blank and a percentage: “%(line)s”.") % {"line": line[:100]}
                ) from None
            found.append((name, percent))
        return found

    def said(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "file"}


class MembersForm(forms.Form):
    file = forms.FileField(
        label=_("Their members"),
        help_text=_("A table with the columns holder_ref and, where they have one, their_ref."),
    )


class EndForm(forms.Form):
    on = day(_("First day without it"), _("Its own first day revokes it altogether."))
    reason = forms.CharField(label=_("Reason"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))


class AgreementEndForm(forms.Form):
    on = day(_("First day without it"))


class WriteOffForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), required=False, max_length=1000, widget=forms.Textarea(attrs={"rows": 2})
    )
