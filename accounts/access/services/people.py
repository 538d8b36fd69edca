"""Persons: created by invitation, or by a link to their own address; who then set their own password."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity import links
from accounts.identity.core import NOBODY, Actor, NotFound, Reference, Refusal
from accounts.identity.models import User


def invited_by(token: str) -> User:
    """Whom a sign-in link belongs to; NotFound when it is void."""
    return links.read(token)


@transaction.atomic
def create_person(
    *, actor: Actor, email: str, name: str = "", password: str | None = None, language: str = "en"
) -> tuple[User, bool]:
    """The person with this address, and whether they are new. The calling verb says whether the actor may invite.

    Only the system sets a password for somebody else, and only for somebody new.
    """
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise Refusal(
            "invalid_email", _("“%(email)s” is no e-mail address.") % {"email": email}, pointer="/email"
        ) from None
    if user := User.objects.filter(email__iexact=address).first():
        return user, False
    if password is not None and not actor.is_system:
        raise Refusal(
            "password_is_personal",
            _("People set their own password, by the link that they are sent."),
            pointer="/password",
        )
    try:
        with transaction.atomic():
            user = User.objects.create_user(address, password, name=name.strip()[:200], language=language)
    except IntegrityError:  # invited twice at the same moment
        return User.objects.get(email__iexact=address), False
    EmailAddress.objects.create(user=user, email=address, primary=True, verified=True)
    record(
        actor=actor,
        verb="person.created",
        object=Reference("user", user.pk),
        organisation_id=actor.organisation_id,
        data={},
    )
    return user, True


@transaction.atomic
def accept_invitation(*, token: str, password: str, name: str = "") -> User:
    """Set the first (or a new) password by a sign-in link, which is void from then on.

    Of two people who use the same link at once, one wins: the second finds it void.
    """
    user = links.read(token)
    check_password_strength(password, user)
    changed = {"password": make_password(password)} | ({"name": name.strip()[:200]} if name.strip() else {})
    if User.objects.filter(pk=user.pk, password=user.password, last_login=user.last_login).update(**changed) != 1:
        raise NotFound(_("This link was used already or is older than a day. Ask for a new one."), code="link_is_void")
    user.refresh_from_db()
    himself = Actor(kind="user", id=user.pk, label=str(user), user_id=user.pk)
    record(actor=himself, verb="person.password_set", object=Reference("user", user.pk), organisation_id=None, data={})
    return user


def ask_for_account(*, email: str, language: str, onward: str = "") -> None:
    """Mail this address a link that opens an account, or, where it has one, the way to sign in.

    Which of the two is decided where the mail is written: who asks sees no difference, neither in words nor in time.
    """
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError:
        raise Refusal(
            "invalid_email", _("“%(email)s” is no e-mail address.") % {"email": email[:200]}, pointer="/email"
        ) from None
    from accounts.access.tasks import mail_account_link  # tasks stand above services

    transaction.on_commit(lambda: mail_account_link.delay(address, language, onward), robust=True)


@transaction.atomic
def open_account(*, token: str, password: str, name: str = "") -> User:
    """Make the account of an account link, with its first password. It may do nothing but ask to join.

    Of two who use the same link at once one makes the account, and the other finds it void.
    """
    wanted = links.read_account(token)
    check_password_strength(password, User(email=wanted.email, name=name))
    user, new = create_person(actor=NOBODY, email=wanted.email, name=name, language=wanted.language)
    if not new:
        raise NotFound(_("This link was used already or is older than a day. Ask for a new one."), code="link_is_void")
    user.set_password(password)
    user.save(update_fields=["password"])
    themself = Actor(kind="user", id=user.pk, label=str(user), user_id=user.pk)
    where = Reference("user", user.pk)
    record(actor=themself, verb="person.password_set", object=where, organisation_id=None, data={})
    return user


@transaction.atomic
def update_profile(*, actor: Actor, user: User, name: str, language: str) -> User:
    """A person's own name and language; nobody else's."""
    if actor.user_id != user.pk:
        raise NotFound(_("There is no such person."))
    user.name, user.language = name.strip()[:200], language
    user.full_clean(exclude=["password"])
    user.save(update_fields=["name", "language"])
    record(
        actor=actor,
        verb="person.changed",
        object=Reference("user", user.pk),
        organisation_id=None,
        data={"language": language},
    )
    return user


def check_password_strength(password: str, user: User | None = None) -> None:
    """Refuse a password that the validators of the settings find weak, with all that they say."""
    try:
        validate_password(password, user)
    except ValidationError as exc:
        errors = [{"pointer": "/password", "code": "weak_password", "detail": message} for message in exc.messages]
        raise Refusal("weak_password", " ".join(exc.messages), pointer="/password", errors=errors) from None
