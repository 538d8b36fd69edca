"""Who else has a right to what a holder is owed: entitlements, advances, sister societies."""

from royalties.entitlements.models.advances import Advance, AdvanceMove
from royalties.entitlements.models.rights import Entitlement, EntitlementMove, EntitlementPayment
from royalties.entitlements.models.sisters import SisterAgreement, SisterLine, SisterMember, SisterStatement

__all__ = [
    "Advance",
    "AdvanceMove",
    "Entitlement",
    "EntitlementMove",
    "EntitlementPayment",
    "SisterAgreement",
    "SisterLine",
    "SisterMember",
    "SisterStatement",
]
