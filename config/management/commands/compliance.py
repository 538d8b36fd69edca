"""`compliance`"""

from __future__ import annotations

from typing import Any

from config.commands import Command as BaseCommand
from licensing.compliance import services


class Command(BaseCommand):
    help = (
        "Do now what beat does every few minutes: tell licensees of reservations that took effect, close the notices of those "
        "that ended, open the cases of accepted declarations, remind of what waits. Twice: nothing more happens."
    )

    def run(self, **options: Any) -> dict[str, Any]:
        told, closed = services.tell_effective(), services.tell_ended()
        declarations = cases = 0
        while waiting := services.waiting():
            declarations += len(waiting)
            cases += sum(services.open_cases(declaration_id) for declaration_id in waiting)
        return {
            "notices": told, "closed": closed, "declarations": declarations, "cases": cases, "reminded": services.remind(),
        }  # fmt: skip
