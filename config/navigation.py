"""Where each audience can go. A place shows to those who hold its permission."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


@dataclass(frozen=True, slots=True)
class Place:
    """A label, the name of its route, and the permission that it asks for (none: everyone of that audience)."""

    label: Any
    route: str
    permission: str = ""


OVERVIEW = Place(_("Overview"), "royalties:overview")
TARIFFS = Place(_("Tariffs"), "licensing:tariffs")
CONSULTATIONS = Place(_("Consultations"), "licensing:consultations")
REGISTER = Place(_("Register of reservations"), "licensing:reservations")
SCHEMES = Place(_("Statutory schemes"), "licensing:public_schemes")
RESERVE = Place(_("Reserve a work"), "licensing:reserve")
JOIN = Place(_("Join a society"), "royalties:join")
MEMBERSHIP = Place(_("My membership"), "licensing:applications")
READY = Place(_("Licences ready to take"), "licensing:ready")
TERMS = Place(_("Standard terms"), "licensing:terms")
NOTICES = Place(_("Works whose money waits"), "royalties:public_notices")
UNMATCHED = Place(_("Unclaimed works"), "licensing:unmatched")
SEARCH = Place(_("Look up a work"), "licensing:permission_search")
OWN_HOUSE = (
    Place(_("Approvals"), "accounts:approvals", "approvals.decide"),
    Place(_("Staff"), "accounts:staff", "members.manage"),
    Place(_("API tokens"), "accounts:tokens", "tokens.manage"),
    Place(_("Webhooks"), "accounts:webhooks", "webhooks.manage"),
    Place(_("Evidence"), "accounts:evidence", "evidence.view"),
)

PORTALS: dict[str, tuple[tuple[Any, tuple[Place, ...]], ...]] = {
    "society": (
        ("", (OVERVIEW,)),
        (
            _("Repertoire"),
            (
                Place(_("Members"), "licensing:holders"),
                Place(_("Works"), "licensing:works"),
                Place(_("Mandates"), "licensing:mandates"),
                Place(_("Applications"), "licensing:application_queue", "membership.manage"),
                Place(_("Registrations"), "licensing:registrations"),
                Place(_("Unmatched uses"), "licensing:matching_queue", "works.import"),
                Place(_("Claims"), "licensing:claims", "works.import"),
                Place(_("Conflicting shares"), "licensing:disputes", "works.import"),
                Place(_("Reservations"), "licensing:reservation_queue", "reservations.manage"),
                Place(_("Sites"), "licensing:sites", "sites.manage"),
                Place(_("Imports"), "licensing:imports"),
            ),
        ),
        (
            _("Licensing"),
            (
                TARIFFS,
                CONSULTATIONS,
                Place(_("Licences on their way"), "licensing:licence_board", "licences.manage"),
                Place(_("Licences"), "licensing:licences"),
                READY,
                TERMS,
                Place(_("Declarations"), "licensing:declarations", "declarations.view"),
                Place(_("Usage reports"), "licensing:duties", "declarations.view"),
                Place(_("Cases"), "licensing:cases", "cases.view"),
                Place(_("Notices to licensees"), "licensing:reservation_notices", "declarations.view"),
                Place(_("Check permission"), "licensing:permission_check", "permissions.check"),
                Place(_("Direct licences"), "licensing:direct_licences", "mandates.manage"),
                Place(_("Statutory schemes"), "licensing:schemes"),
            ),
        ),
        (
            _("Money in"),
            (
                Place(_("Invoices"), "royalties:invoices", "billing.view"),
                Place(pgettext_lazy("navigation", "Bank"), "royalties:bank_entries", "billing.view"),
            ),
        ),
        (
            _("Distribution"),
            (
                Place(_("Distribution runs"), "royalties:runs", "distribution.view"),
                Place(_("Distribution rules"), "royalties:rules", "distribution.view"),
                Place(_("Suspense"), "royalties:suspense", "distribution.view"),
                Place(_("Money that waits"), "royalties:outstanding", "distribution.view"),
                Place(_("Statements"), "royalties:statements", "statements.view"),
            ),
        ),
        (
            _("Paying out"),
            (
                Place(_("Payouts"), "royalties:payouts", "payouts.view"),
                Place(_("Payees"), "royalties:payees", "payees.view"),
                Place(_("Rights of others"), "royalties:entitlements", "payees.view"),
                Place(_("Advances"), "royalties:advances", "payouts.view"),
                Place(_("Sister societies"), "royalties:sisters", "payouts.view"),
                Place(_("Tax withheld"), "royalties:withholding", "payouts.view"),
                Place(_("Accounts of holders"), "royalties:holder_accounts", "ledger.view"),
            ),
        ),
        (
            _("Books"),
            (
                Place(_("Ledger"), "royalties:ledger", "ledger.view"),
                Place(_("Bank and book"), "royalties:reconciliation", "ledger.view"),
                Place(_("Closing a period"), "royalties:closings", "ledger.view"),
                Place(_("Transparency reports"), "royalties:reports", "ledger.view"),
            ),
        ),
        (_("Organisation"), (*OWN_HOUSE, Place(_("Where to compute"), "licensing:engine", "organisation.manage"))),
    ),
    "licensee": (
        ("", (OVERVIEW,)),
        (
            _("Use of works"),
            (
                Place(_("Declarations"), "licensing:declarations", "declarations.view"),
                Place(_("Usage reports"), "licensing:duties", "declarations.view"),
                Place(_("Check permission"), "licensing:permission_check", "permissions.check"),
                Place(_("Files asked about"), "licensing:bulk_checks", "permissions.check"),
                Place(_("Notices of reservations"), "licensing:reservation_notices", "declarations.view"),
                Place(_("Cases"), "licensing:cases", "cases.view"),
                REGISTER,
            ),
        ),
        (
            _("Contract and money"),
            (
                Place(_("Invoices"), "royalties:invoices", "billing.view"),
                Place(_("Licences"), "licensing:licences"),
                Place(_("Requests for licences"), "licensing:licence_requests"),
                READY,
                TARIFFS,
                TERMS,
                CONSULTATIONS,
                SCHEMES,
            ),
        ),
        (_("Organisation"), OWN_HOUSE),
    ),
    "creator": (
        (
            "",
            (
                Place(_("What I am owed"), "royalties:overview"),
                Place(_("My payments"), "royalties:my_payouts", "statements.view"),
                Place(_("Money that waits"), "royalties:my_waiting", "statements.view"),
                Place(_("Statements"), "royalties:statements"),
                Place(_("Year by year"), "royalties:holder_accounts", "statements.view"),
            ),
        ),
        (
            _("How I am paid"),
            (
                Place(_("My payment details"), "royalties:my_payee", "payees.own"),
                Place(_("Who else gets some of it"), "royalties:my_entitlements", "payees.own"),
                Place(_("Tax withheld from me"), "royalties:my_withholding", "statements.view"),
            ),
        ),
        (
            _("My works"),
            (
                Place(pgettext_lazy("navigation", "Works"), "licensing:works"),
                Place(_("Uses of my works"), "royalties:uses"),
                Place(_("Uses without permission"), "licensing:cases", "cases.view"),
                Place(_("Registrations"), "licensing:registrations"),
                UNMATCHED,
                Place(_("My claims"), "licensing:claims"),
                Place(_("Conflicting shares"), "licensing:disputes", "works.register"),
                Place(_("Mandates"), "licensing:my_mandates"),
                Place(_("My sites"), "licensing:sites", "sites.manage"),
                Place(_("My reservations"), "licensing:reservations_mine"),
            ),
        ),
        (_("Society"), (MEMBERSHIP, TARIFFS, CONSULTATIONS)),
    ),
    # Somebody who opened an account and is nobody's member or staff yet.
    "applicant": (("", (MEMBERSHIP, JOIN, SEARCH, UNMATCHED, REGISTER, TARIFFS, CONSULTATIONS)),),
    "rate_body": (
        (
            "",
            (
                OVERVIEW,
                Place(_("Rates to decide"), "licensing:rate_work", "tariffs.determine"),
                CONSULTATIONS,
                TARIFFS,
                SCHEMES,
            ),
        ),
        (_("Organisation"), OWN_HOUSE),
    ),
}

PUBLIC = (JOIN, RESERVE, SEARCH, REGISTER, TARIFFS, CONSULTATIONS, Place(_("API"), "api-docs"))
CERTIFICATE = Place(_("Check a licence"), "licensing:certificates")
RECEIPT = Place(_("Check a receipt"), "licensing:receipt_verify")
TAX_RULES = Place(_("Tax rules"), "royalties:tax_rules")
TRANSPARENCY = Place(_("Transparency reports"), "royalties:transparency")
FOOTER = (
    JOIN,
    RESERVE,
    SEARCH,
    UNMATCHED,
    NOTICES,
    REGISTER,
    TARIFFS,
    CONSULTATIONS,
    SCHEMES,
    READY,
    TERMS,
    CERTIFICATE,
    RECEIPT,
    TAX_RULES,
    TRANSPARENCY,
    Place(_("API"), "api-docs"),
    Place(_("Style"), "style"),
)
