"""The verbs of statements: publish them, and give them out as files."""

from royalties.statements.services.checks import problems
from royalties.statements.services.files import content, export_statements, write_csv, write_json
from royalties.statements.services.publish import publish
from royalties.statements.services.render import render_pdf

__all__ = ["content", "export_statements", "problems", "publish", "render_pdf", "write_csv", "write_json"]
