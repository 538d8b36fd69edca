"""Organisations and the people who act for them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.access.core import roles_of
from accounts.access.models import Membership, Role
from accounts.access.services.people import create_person
from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Forbidden, NotFound, Reference, Refusal
from accounts.identity.models import User
from accounts.organisations.models import Organisation


@transaction.atomic
def create_organisation(
    *, actor: Actor, ref: str, kind: str, name: str, name_ko: str = "", country: str = "KR"
) -> Organisation:
    """A new organisation; only the operator makes one. The same ref, kind and name again is the existing one."""
    if not actor.is_system:
        raise Forbidden(_("Only the operator of this installation creates organisations."))
    if existing := Organisation.objects.filter(ref=ref).first():
        return _same(existing, kind, name)
    organisation = Organisation(ref=ref, kind=kind, name=name.strip(), name_ko=name_ko.strip(), country=country)
    try:
        organisation.full_clean(validate_unique=False)
    except ValidationError as exc:
        errors = [
            {"pointer": f"/{field}", "code": "invalid", "detail": text}
            for field, texts in exc.message_dict.items()
            for text in texts
        ]
        raise Refusal(
            "invalid_organisation", " ".join(f"{e['pointer'][1:]}: {e['detail']}" for e in errors), errors=errors
        ) from None
    try:
        with transaction.atomic():
            organisation.save()
    except IntegrityError:  # created twice at the same moment
        return _same(Organisation.objects.get(ref=ref), kind, name)
    where = Reference("organisation", organisation.pk)
    record(
        actor=actor,
        verb="organisation.created",
        object=where,
        organisation_id=organisation.pk,
        data={"ref": ref, "kind": kind},
    )
    return organisation


def _same(existing: Organisation, kind: str, name: str) -> Organisation:
    if (existing.kind, existing.name) != (kind, name.strip()):
        detail = _("“%(ref)s” is taken by %(name)s (%(kind)s). Choose another ref.")
        raise Conflict(
            "organisation_ref_is_taken",
            detail % {"ref": existing.ref, "name": existing.name, "kind": existing.get_kind_display()},
            pointer="/ref",
        )
    return existing


@transaction.atomic
def create_user(
    *,
    actor: Actor,
    email: str,
    organisation: Organisation,
    role: str,
    password: str | None = None,
    name: str = "",
    language: str = "en",
) -> User:
    """A person with a role in an organisation; one who is known already only gains the role. Idempotent."""
    user = invite(actor=actor, email=email, organisation=organisation, name=name, password=password, language=language)
    add_member(actor=actor, user=user, organisation=organisation, role=role)
    return user


@transaction.atomic
def invite(
    *,
    actor: Actor,
    email: str,
    organisation: Organisation,
    name: str = "",
    password: str | None = None,
    language: str = "en",
) -> User:
    """The person with this address; somebody new is mailed a sign-in link in the organisation's name.

    The link goes to the address itself and to nobody else: whoever held another's could act for every organisation
    that trusts that address later. The operator's command prints it instead of mailing it.
    """
    _may_manage(actor, organisation)
    user, new = create_person(actor=actor, email=email, name=name, password=password, language=language)
    if new and not actor.is_system:
        _mail_link(user, organisation)
    return user


@transaction.atomic
def invite_again(*, actor: Actor, membership: Membership) -> None:
    """Mail a new link to a colleague whose first one was lost or is older than a day; whoever came in needs none."""
    user, organisation = membership.user, membership.organisation
    _may_manage(actor, organisation)
    if user.has_usable_password():
        raise Conflict("already_signed_in", _("%(person)s has a password already.") % {"person": user})
    where = Reference("membership", membership.pk)
    record(actor=actor, verb="invitation.sent", object=where, organisation_id=organisation.pk, data={"user": user.pk})
    _mail_link(user, organisation)


def _mail_link(user: User, organisation: Organisation) -> None:
    """Once the invitation is committed. A queue that does not answer fails no invitation: it can be sent again."""
    from accounts.access.tasks import mail_invitation  # tasks stand above services

    transaction.on_commit(lambda: mail_invitation.delay(user.pk, organisation.pk), robust=True)


@transaction.atomic
def add_member(*, actor: Actor, user: User, organisation: Organisation, role: str) -> Membership:
    """Give a role; giving it again changes nothing."""
    _may_manage(actor, organisation)
    if role not in roles_of(organisation.kind):
        known = ", ".join(roles_of(organisation.kind))
        detail = _("A %(kind)s has no role “%(role)s”. Its roles: %(known)s.") % {
            "kind": organisation.get_kind_display(),
            "role": role,
            "known": known,
        }
        raise Refusal("unknown_role", detail, pointer="/role")
    membership, new = Membership.objects.get_or_create(user=user, organisation=organisation, role=role)
    if new:
        data = {"user": user.pk, "role": role}
        where = Reference("membership", membership.pk)
        record(actor=actor, verb="membership.added", object=where, organisation_id=organisation.pk, data=data)
    return membership


@transaction.atomic
def remove_member(*, actor: Actor, membership: Membership) -> None:
    """Take a role away. An organisation keeps its last administrator, or nobody could let people in again."""
    organisation = Organisation.objects.select_for_update().get(pk=membership.organisation_id)  # one removal at a time
    _may_manage(actor, organisation)
    if membership.role == Role.ADMINISTRATOR:
        others = Membership.objects.filter(organisation=organisation, role=Role.ADMINISTRATOR).exclude(pk=membership.pk)
        if not others.exists():
            raise Conflict(
                "last_administrator", _("This is the last administrator. Make somebody else administrator first.")
            )
    if Membership.objects.filter(pk=membership.pk).delete()[0] != 1:
        raise NotFound(_("This membership was removed already."))
    data = {"user": membership.user_id, "role": membership.role}
    where = Reference("membership", membership.pk)
    record(actor=actor, verb="membership.removed", object=where, organisation_id=organisation.pk, data=data)


def _may_manage(actor: Actor, organisation: Organisation) -> None:
    if actor.is_system:
        return
    if actor.organisation_id != organisation.pk:
        raise NotFound(_("There is no such organisation."))
    actor.require("members.manage")
