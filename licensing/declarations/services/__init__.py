"""What is done with declarations, from draft to accepted; one service behind API, pages and command."""

from licensing.declarations.services.deciding import accept, ask, submit
from licensing.declarations.services.drafting import amend, attach, discard, start
from licensing.declarations.services.filing import declare_file
from licensing.declarations.services.processing import process, stalled

__all__ = ["accept", "amend", "ask", "attach", "declare_file", "discard", "process", "stalled", "start", "submit"]
