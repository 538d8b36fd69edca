"""The people who act for one's organisation."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import services
from accounts.access.core import roles_of
from accounts.access.models import Membership, Role
from accounts.identity.core import Refusal
from accounts.identity.gate import ActorRequest, requires
from accounts.organisations.models import Organisation

_MEANINGS = {
    Role.ADMINISTRATOR: _("everything, staff and tokens included"),
    Role.LICENSING: _("tariffs, licences, review of declarations"),
    Role.REPERTOIRE: _("works, members, shares and mandates"),
    Role.DISTRIBUTION: _("computes and approves distributions"),
    Role.FINANCE: _("invoices, receipts and the ledger"),
    Role.AUDITOR: _("sees everything, changes nothing"),
    Role.DECLARANT: _("declares uses"),
    Role.VIEWER: _("sees declarations"),
}


class MemberForm(forms.Form):
    email = forms.EmailField(label=_("E-mail"), help_text=_("A new person is sent a link that is good for one day."))
    name = forms.CharField(label=_("Name"), max_length=200, required=False)
    role = forms.ChoiceField(label=_("Role"))

    def __init__(self, *args: object, kind: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        roles = [Role(role) for role in roles_of(kind)]
        self.fields["role"].choices = [(role.value, f"{role.label}: {_MEANINGS[role]}") for role in roles]  # type: ignore[attr-defined]


@requires("members.manage")
@require_http_methods(["GET", "POST"])
def staff(request: ActorRequest) -> HttpResponse:
    """The list, and the form that adds to it."""
    organisation = Organisation.objects.of(request.actor)
    form = MemberForm(request.POST or None, kind=organisation.kind)
    if request.method == "POST" and form.is_valid():
        try:
            user = services.create_user(actor=request.actor, organisation=organisation, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error((refusal.pointer or "/email").lstrip("/"), str(refusal))
        else:
            messages.success(request, _("%(person)s now belongs to your staff.") % {"person": user.email})
            return redirect("accounts:staff")
    members = Membership.objects.visible_to(request.actor).select_related("user").order_by("user__email", "role")
    return render(request, "accounts/access/staff.html", {"members": members, "form": form})


@requires("members.manage")
@require_POST
def invite_again(request: ActorRequest, membership_id: int) -> HttpResponse:
    seen = Membership.objects.visible_to(request.actor).select_related("user", "organisation")
    membership = get_object_or_404(seen, pk=membership_id)
    services.invite_again(actor=request.actor, membership=membership)
    messages.success(request, _("A new link is on its way to %(person)s.") % {"person": membership.user.email})
    return redirect("accounts:staff")


@requires("members.manage")
@require_POST
def remove(request: ActorRequest, membership_id: int) -> HttpResponse:
    membership = get_object_or_404(
        Membership.objects.visible_to(request.actor).select_related("user"), pk=membership_id
    )
    services.remove_member(actor=request.actor, membership=membership)
    taken = {"person": membership.user, "role": membership.get_role_display()}
    messages.success(request, _("%(person)s no longer has the role “%(role)s”.") % taken)
    return redirect("accounts:staff")
