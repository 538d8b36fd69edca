"""`import_works FILE --society REF`"""

from config.imports import ImportCommand
from licensing.repertoire.services import import_works


class Command(ImportCommand):
    help = "Import a works file: new rows are added, known ones updated, bad ones reported with their numbers."
    service = staticmethod(import_works)
