"""Books of ONIX 3 messages: products become works, the editions of one work its ISBNs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from accounts.identity.core import Actor
from accounts.organisations.models import Organisation
from licensing.engine.core import Engine
from licensing.intake.formats import onix
from licensing.intake.formats.onix import Product
from licensing.intake.importing import Contents, ImportResult, check_society, staged_by
from licensing.intake.models import Import, StoredFile
from licensing.intake.services import limits
from licensing.repertoire.importing import outside
from licensing.repertoire.importing.outside import Row, Rules, row
from licensing.repertoire.importing.works import FILLED

_PRESENT = ("work_ref", "kind", "title", "creators", "language", "published", "identifiers")


def import_onix(
    *, actor: Actor, society: Organisation, file: StoredFile, record_in: Import | None = None
) -> ImportResult:
    """Register the books of an ONIX 3 message. A row of the counts is a product, by its place in the message.

    Products that name the same work are one work with an ISBN each; further titles become its other titles. A
    product to be deleted is reported: nothing is deleted. ONIX says nothing of shares.
    """
    check_society(actor, society, "works.import")
    with staged_by(_fill, society=society, stored=file, kind=Import.Kind.ONIX, record_in=record_in) as stage:
        created, updated = outside.register(stage, Rules(latest=False))
        return stage.finish(actor, created=created, updated=updated, filled=FILLED)


def _fill(engine: Engine, path: Path) -> Contents:
    rows = (each for product in onix.read(path, limits()) for each in _rows(product))
    return outside.fill(engine, rows, present=_PRESENT)


def _rows(product: Product) -> Iterator[Row]:
    at = product.row
    yield row("unit", at, at, "refused" if product.problem else None)
    if product.problem:
        yield row("reject", at, at, *product.problem)
        return
    named = ";".join(f"isbn:{isbn.replace(';', ' ')}" for isbn in product.isbns)
    yield row(
        "work", at, at, product.work, product.kind, product.title, product.creators[:2000], product.language,
        product.published, None, named,
    )  # fmt: skip
