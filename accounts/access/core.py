"""Who may do what: permissions, the roles that hold them, and the scopes that a program's token may carry. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from accounts.identity.core import Refusal, say

PERMISSIONS: Final = frozenset({
    "organisation.manage", "members.manage", "tokens.manage", "approvals.decide", "evidence.view",
    "webhooks.manage",
    "works.import", "mandates.manage", "membership.manage", "works.register", "mandates.sign",
    "reservations.manage", "reservations.make", "sites.manage", "cases.manage", "cases.view", "cases.answer",
    "tariffs.manage", "tariffs.determine", "licences.manage", "licences.sign", "licences.request",
    "declarations.declare", "declarations.view", "declarations.review", "permissions.check",
    "billing.manage", "billing.view",
    "distribution.compute", "distribution.approve", "distribution.view",
    "statements.view", "ledger.view", "ledger.close",
    "payees.manage", "payees.view", "payees.own", "payouts.prepare", "payouts.approve", "payouts.view",
})  # fmt: skip

_HOUSE: Final = frozenset(
    {"organisation.manage", "members.manage", "tokens.manage", "approvals.decide", "evidence.view"}
)

# What each role may do, by the kind of organisation. A role that a kind does not list does not exist there.
ROLES: Final[dict[str, dict[str, frozenset[str]]]] = {
    "society": {
        "administrator": PERMISSIONS
        - {
            "tariffs.determine", "declarations.declare", "works.register", "mandates.sign", "reservations.make", "cases.answer",
            "licences.request", "payees.own",
        },
        "licensing": frozenset({
            "tariffs.manage", "licences.manage", "licences.sign", "declarations.view", "declarations.review", "permissions.check",
            "billing.view", "approvals.decide", "cases.manage", "cases.view", "reservations.manage",
        }),
        "repertoire": frozenset({
            "works.import", "mandates.manage", "declarations.view", "permissions.check", "statements.view",
            "membership.manage", "reservations.manage", "sites.manage", "cases.view",
        }),
        "distribution": frozenset({
            "distribution.compute", "distribution.approve", "distribution.view", "declarations.view", "billing.view",
            "statements.view", "ledger.view", "approvals.decide", "cases.view", "payouts.view",
        }),
        "finance": frozenset({
            "billing.manage", "billing.view", "distribution.approve", "distribution.view", "declarations.view",
            "statements.view", "ledger.view", "ledger.close", "approvals.decide", "cases.view",
            "payees.manage", "payees.view", "payouts.prepare", "payouts.approve", "payouts.view",
        }),
        "auditor": frozenset({
            "evidence.view", "declarations.view", "billing.view", "distribution.view", "statements.view", "ledger.view",
            "cases.view", "payouts.view",
        }),
    },
    "licensee": {
        "administrator": _HOUSE
        | {
            "webhooks.manage", "declarations.declare", "declarations.view", "permissions.check", "billing.view", "cases.view",
            "cases.answer", "licences.request", "licences.sign",
        },
        "declarant": frozenset({
            "declarations.declare", "declarations.view", "permissions.check", "cases.view", "cases.answer",
        }),
        "finance": frozenset({"declarations.view", "billing.view", "cases.view"}),
        "viewer": frozenset({"declarations.view"}),
    },
    "rate_body": {"administrator": _HOUSE | {"tariffs.determine"}},
}  # fmt: skip

_CATALOGUE: Final = frozenset({"works.register", "reservations.make", "sites.manage", "cases.view"})

# What someone who acts for a holder may do, by the scope of the representation.
REPRESENTATIONS: Final[dict[str, frozenset[str]]] = {
    "member": frozenset({"statements.view"}) | _CATALOGUE | {"mandates.sign", "payees.own"},
    "full": frozenset({"statements.view"}) | _CATALOGUE | {"mandates.sign", "payees.own"},
    "finance": frozenset({"statements.view", "payees.own"}),
    "catalogue": _CATALOGUE,
}

# Four eyes and the house's own keys need a person: no program carries these.
PEOPLE_ONLY: Final = frozenset({
    "approvals.decide", "distribution.approve", "tariffs.determine",
    "members.manage", "tokens.manage", "organisation.manage", "evidence.view",
    "membership.manage", "mandates.sign", "cases.answer", "licences.sign",
    "payees.manage", "payees.view", "payees.own", "payouts.approve", "ledger.close",
})  # fmt: skip
SCOPES: Final = PERMISSIONS - PEOPLE_ONLY

CAPACITY: Final = "capacity"  # the session's key for that in which a person acts now


def permissions_of(organisation_kind: str, roles: Iterable[str]) -> frozenset[str]:
    """Everything that these roles together may do in that kind of organisation."""
    table = ROLES.get(organisation_kind, {})
    return frozenset().union(*(table.get(role, frozenset()) for role in roles))


def roles_of(organisation_kind: str) -> tuple[str, ...]:
    return tuple(ROLES.get(organisation_kind, {}))


def representation_permissions(scopes: Iterable[str]) -> frozenset[str]:
    return frozenset().union(*(REPRESENTATIONS.get(scope, frozenset()) for scope in scopes))


def scopes_for(organisation_kind: str | None) -> frozenset[str]:
    """The scopes that a token of such an organisation (None: of a creator) may carry at most."""
    if organisation_kind is None:
        return representation_permissions(REPRESENTATIONS) & SCOPES
    return permissions_of(organisation_kind, roles_of(organisation_kind)) & SCOPES


def parse_scopes(asked: str | Iterable[str], available: frozenset[str]) -> tuple[str, ...]:
    """Scopes as people write them, as permission names in order.

    Names are separated by commas, semicolons or spaces; `declarations` (or `declarations.*`) stands for all of that
    word, `*` for all that are available. Raises Refusal for a name that is not available, and for none at all.
    """
    names = re.split(r"[,;\s]+", asked.strip()) if isinstance(asked, str) else list(asked)
    found: set[str] = set()
    for name in filter(None, names):
        word = name.removesuffix("*").removesuffix(".")
        fitting = {scope for scope in available if name == "*" or scope == name or scope.startswith(f"{word}.")}
        if not fitting:
            raise Refusal(
                "unknown_scope",
                say(
                    "“{name}” is no scope for this token. Available: {known}.",
                    name=name,
                    known=", ".join(sorted(available)),
                ),
                pointer="/scopes",
            )
        found |= fitting
    if not found:
        raise Refusal(
            "no_scope",
            say("Name at least one scope. Available: {known}.", known=", ".join(sorted(available))),
            pointer="/scopes",
        )
    return tuple(sorted(found))
