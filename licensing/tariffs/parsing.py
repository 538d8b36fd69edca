"""A tariff version from its JSON document, read strictly: every problem is told with its JSON pointer. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from decimal import Decimal
from typing import Any, Final

from accounts.identity.core import Refusal, gettext_noop
from licensing import terms
from licensing.tariffs.charges import MODELS
from licensing.tariffs.currencies import MINOR_DIGITS
from licensing.tariffs.reading import BadDocument, Problem, Reader, loads
from licensing.tariffs.schedule import (
    COMBINATIONS,
    MAX_AMOUNT,
    MAX_CHARGES,
    PERIODS,
    REF,
    Charge,
    Schedule,
    SelfService,
)

_REQUIRED: Final = ("tariff", "version", "name", "currency", "valid_from", "charges")
_OPTIONAL: Final = ("valid_to", "combine", "minimum", "cap", "period_months", "self_service")
_SUMMARY: Final = gettext_noop("This tariff cannot be used. Problems found: {count}.")


def digest(document: Any) -> str:
    """SHA-256 of a document whatever the order of its keys and the spaces between them."""
    canonical = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def read_text(text: str | bytes) -> Any:
    """The JSON of a tariff document; raises BadDocument where it is not JSON."""

    def refuse(code: str, template: str) -> Refusal:
        return BadDocument("invalid_tariff", _SUMMARY, [Problem("", code, template, {})])

    return loads(text, refuse)


def parse(document: Any) -> Schedule:
    """A tariff document as a schedule; raises BadDocument with every problem and its JSON pointer."""
    reader = Reader()
    schedule = _schedule(reader, document)
    if schedule is None or reader.problems:
        first = {problem.pointer: problem for problem in reversed(reader.problems)}
        kept = [problem for problem in reader.problems if first[problem.pointer] is problem]
        raise BadDocument("invalid_tariff", _SUMMARY, kept)
    return schedule


def _schedule(reader: Reader, document: Any) -> Schedule | None:
    body = reader.object(document, "", required=_REQUIRED, optional=_OPTIONAL)
    if body is None:
        return None
    tariff = reader.text(body.get("tariff"), "/tariff", most=64, pattern=REF)
    version = reader.integer(body.get("version"), "/version", least=1, most=2**31 - 1)
    name = reader.text(body.get("name"), "/name", most=200)
    currency = reader.choice(body.get("currency"), "/currency", MINOR_DIGITS)
    start = reader.day(body.get("valid_from"), "/valid_from")
    end = None if body.get("valid_to") is None else reader.day(body["valid_to"], "/valid_to")
    if start and end and end <= start:
        reader.fail(
            "/valid_to",
            "not_after_start",
            gettext_noop("“valid_to” is the first day after the version: it must be later than “valid_from”."),
        )
    combine = reader.choice(body.get("combine", "sum"), "/combine", COMBINATIONS)
    minimum, cap = (_bound(reader, body.get(key), f"/{key}", currency) for key in ("minimum", "cap"))
    if minimum is not None and cap is not None and minimum > cap:
        reader.fail("/cap", "below_minimum", gettext_noop("The cap must not be below the minimum."))
    charges = _charges(reader, body.get("charges"))
    months = _period(reader, body.get("period_months"))
    self_service = _self_service(reader, body.get("self_service"), charges)
    if not (tariff and version and name and currency and start and combine):
        return None
    return Schedule(tariff, version, name, currency, start, end, combine, minimum, cap, charges, months, self_service)


def _bound(reader: Reader, value: Any, pointer: str, currency: str | None) -> int | None:
    """A minimum or cap in minor units. It is compared with rounded money, so it must be whole in them."""
    if value is None or currency is None:
        return None
    digits = MINOR_DIGITS[currency]
    amount = reader.decimal(value, pointer, most=Decimal(MAX_AMOUNT).scaleb(-digits))
    if amount is None:
        return None
    minor = amount.scaleb(digits)
    if minor != int(minor):
        reader.fail(
            pointer,
            "not_whole",
            gettext_noop("{currency} has {digits} decimals: write no more here."),
            currency=currency,
            digits=digits,
        )
    return int(minor)


def _period(reader: Reader, value: Any) -> int | None:
    """The months of a billing period."""
    if value is None:
        return None
    months = reader.integer(value, "/period_months", least=PERIODS[0], most=PERIODS[-1])
    if months is not None and months not in PERIODS:
        known = ", ".join(map(str, PERIODS))
        return reader.fail("/period_months", "unknown_term", gettext_noop("Use one of: {known}."), known=known)
    return months


def _self_service(reader: Reader, value: Any, charges: Collection[Charge]) -> SelfService | None:
    """Who may take a licence at a price that is known when it is signed: all that they owe must be flat."""
    if value is None:
        return None
    body = reader.object(value, "/self_service", required=["months"], optional=["tiers"])
    if body is None:
        return None
    tiers = _licensee_tiers(reader, body.get("tiers"), "/self_service/tiers")
    months = reader.integer(body.get("months"), "/self_service/months", least=1, most=PERIODS[-1])
    for charge in charges:
        if charge.model != "flat" and (not tiers or any(charge.serves(tier) for tier in tiers)):
            reader.fail(
                "/self_service",
                "price_not_fixed",
                gettext_noop("Only a flat price is known before use: the charge “{name}” is not flat."),
                name=charge.name,
            )
    for tier in tiers:
        if charges and not any(charge.serves(tier) for charge in charges):
            reader.fail(
                "/self_service/tiers", "no_charge", gettext_noop("No charge is for the tier “{tier}”."), tier=tier
            )
    return None if months is None else SelfService(tiers, months)


def _charges(reader: Reader, value: Any) -> tuple[Charge, ...]:
    entries = reader.list(value, "/charges", most=MAX_CHARGES) or []
    charges: list[Charge] = []
    names: set[str] = set()
    for n, entry in enumerate(entries):
        pointer = f"/charges/{n}"
        if isinstance(entry, dict) and isinstance(name := entry.get("name"), str):
            if name in names:
                reader.fail(
                    f"{pointer}/name", "name_twice", gettext_noop("Another charge of this tariff has this name.")
                )
            names.add(name)
        charge = _charge(reader, entry, pointer)
        if charge:
            charges.append(charge)
    _told_apart(reader, charges)
    return tuple(charges)


def _told_apart(reader: Reader, charges: Collection[Charge]) -> None:
    """A declared figure is money or a number, never both: money has the currency's decimals."""
    bases = {charge.base for charge in charges if charge.base}
    if both := sorted(bases & {charge.count for charge in charges}):
        reader.fail(
            "/charges",
            "base_and_count",
            gettext_noop("“{name}” is the base of a percentage and a count as well: give one of them another name."),
            name=both[0],
        )


def _charge(reader: Reader, entry: Any, pointer: str) -> Charge | None:
    """A charge. One that counts units of lines must say of which uses, kinds and unit; the others default to any."""
    if not isinstance(entry, dict):
        return reader.fail(pointer, "not_an_object", gettext_noop("Write an object in braces here."))
    model = reader.choice(entry.get("model"), f"{pointer}/model", MODELS)
    if model is None:
        return None
    rates_of = MODELS[model]
    counted = rates_of.COUNTS_UNITS and entry.get("count") is not None
    of_lines = rates_of.COUNTS_UNITS and not counted
    scope = ("uses", "kinds", "unit")
    required, optional = (("name", "model", *scope), ()) if of_lines else (("name", "model"), scope)
    more = ("count", "licensee_tiers") if rates_of.COUNTS_UNITS else ("licensee_tiers",)
    reader.object(entry, pointer, required=[*required, *rates_of.KEYS], optional=[*optional, *more])
    name = reader.text(entry.get("name"), f"{pointer}/name", most=200)
    uses = reader.codes(entry.get("uses", terms.ANY), f"{pointer}/uses", terms.USES)
    kinds = reader.codes(entry.get("kinds", terms.ANY), f"{pointer}/kinds", terms.KINDS)
    units = terms.UNITS if of_lines else [*terms.UNITS, terms.ANY]
    unit = reader.choice(entry.get("unit", terms.ANY), f"{pointer}/unit", units)
    tiers = _licensee_tiers(reader, entry.get("licensee_tiers"), f"{pointer}/licensee_tiers")
    rates = rates_of.read(reader, entry, pointer)
    count = _count(reader, entry["count"], f"{pointer}/count") if counted else ""
    if not (name and uses and kinds and unit and rates) or count is None:
        return None
    return Charge(name, model, uses, kinds, unit, tiers, rates, count)


def _count(reader: Reader, value: Any, pointer: str) -> str | None:
    """The name of a number that licensees declare, in the plural: `subscribers`. A unit of lines is no such name."""
    count = reader.figure(value, pointer)
    if count in terms.UNITS:
        return reader.fail(
            pointer,
            "is_a_unit",
            gettext_noop("“{count}” is a unit of declared lines: write it as “unit”, or use another name."),
            count=count,
        )
    return count


def _licensee_tiers(reader: Reader, value: Any, pointer: str) -> tuple[str, ...]:
    """Names of licensee tiers; absent or empty means every licensee."""
    if value is None or value == []:
        return ()
    entries = reader.list(value, pointer, most=50) or []
    read = [reader.text(entry, f"{pointer}/{n}", most=40) for n, entry in enumerate(entries)]
    return tuple(sorted({tier for tier in read if tier}))
