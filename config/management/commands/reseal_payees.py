"""`reseal_payees`"""

from __future__ import annotations

from typing import Any

from accounts.identity.core import SYSTEM
from config.commands import Command as BaseCommand
from royalties.payees import services


class Command(BaseCommand):
    help = "Seal every account anew that does not lie under the first key of PAYEE_KEYS. Afterwards the others may go."

    def run(self, **options: Any) -> dict[str, Any]:
        return {"resealed": services.reseal(actor=SYSTEM)}
