"""The verbs of access: organisations and their people, tokens for programs, remembered answers."""

from accounts.access.services.answers import caller_of, forget, recall, remember
from accounts.access.services.firms import register_firm
from accounts.access.services.members import (
    add_member,
    create_organisation,
    create_user,
    invite,
    invite_again,
    remove_member,
)
from accounts.access.services.people import (
    accept_invitation,
    ask_for_account,
    create_person,
    invited_by,
    open_account,
    update_profile,
)
from accounts.access.services.tokens import TokenRefused, authenticate_token, issue_token, revoke_token

__all__ = [
    "TokenRefused",
    "accept_invitation",
    "add_member",
    "ask_for_account",
    "authenticate_token",
    "caller_of",
    "create_organisation",
    "create_person",
    "create_user",
    "forget",
    "invite",
    "invite_again",
    "invited_by",
    "issue_token",
    "open_account",
    "recall",
    "register_firm",
    "remember",
    "remove_member",
    "revoke_token",
    "update_profile",
]
