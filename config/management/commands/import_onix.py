"""`import_onix FILE --society REF`"""

from config.imports import ImportCommand
from licensing.repertoire.services import import_onix


class Command(ImportCommand):
    help = "Import the books of an ONIX 3 message: products of one work become its ISBNs, bad ones are reported."
    service = staticmethod(import_onix)
