"""A tariff document as the fields of a form, and back. Pure.

The name of a field is the JSON pointer of what it holds, with dashes: `charges-0-tiers-1-price`. So a problem's pointer
leads to its field. A charge that is not open is one field with its JSON, so that large tariffs stay within what a form
may send. What is written comes back as it was: nothing is checked here, the tariff's own reader does that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from licensing import terms
from licensing.tariffs.charges import MODELS
from licensing.tariffs.charges.tiers import MAX_TIERS
from licensing.tariffs.schedule import MAX_CHARGES

Fields = dict[str, list[str]]
HEADER: Final = ("tariff", "version", "name", "currency", "valid_from", "valid_to", "combine", "minimum", "cap")
WHOLE: Final = ("version", "per", "size", "up_to", "period_months", "months")
OPEN_FIELDS: Final = 500  # of the thousand that one form may send
_ORDER: Final = {key: n for n, key in enumerate(
    (*HEADER, "period_months", "self_service", "charges", "uses", "kinds", "unit", "count", "licensee_tiers", "model",
     "amount", "per", "size", "base", "percent", "up_to", "price", "tiers", "months"))}  # fmt: skip
_GROUPED: Final = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
_DIGITS: Final = re.compile(r"[0-9]{1,30}")


def pretty(document: Any) -> str:
    """A document as people read it, its keys in the order of the contract, whatever the database made of it."""

    def ordered(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: ordered(value[key]) for key in sorted(value, key=lambda key: _ORDER.get(key, len(_ORDER)))}
        return [ordered(each) for each in value] if isinstance(value, list) else value

    return json.dumps(ordered(document), ensure_ascii=False, indent=2)


def keys_of(model: str) -> tuple[str, ...]:
    """The keys of a charge's model that are single fields."""
    return tuple(key for key in MODELS[model].KEYS if key != "tiers") if model in MODELS else ()


def model_of(charge: Mapping[str, Any]) -> str:
    model = charge.get("model")
    return model if isinstance(model, str) and model in MODELS else ""


def has_tiers(charge: Mapping[str, Any]) -> bool:
    model = model_of(charge)
    return bool(model) and "tiers" in MODELS[model].KEYS


def counts(charge: Mapping[str, Any]) -> bool:
    """Whether the charge is priced by something counted: units of lines, or a number that is declared."""
    model = model_of(charge)
    return bool(model) and MODELS[model].COUNTS_UNITS


# ── Document → fields ──────────────────────────────────────────────────────────────────────────────────────


def write(document: Mapping[str, Any], opened: Collection[int] | None = None) -> Fields:
    """The fields of a document, with these of its charges open (None: all)."""
    fields: Fields = {key: [_text(key, document.get(key))] for key in (*HEADER, "period_months")}
    own = _object(document.get("self_service"))
    fields["self_service-months"] = [_text("months", own.get("months"))]
    fields["self_service-tiers"] = ["\n".join(_texts(own.get("tiers")))]
    charges = charges_of(document)
    fields["charges"] = [str(len(charges))]
    for n, charge in enumerate(charges):
        if opened is None or n in opened:
            fields |= _charge_fields(charge, f"charges-{n}")
        else:
            fields[f"charges-{n}-json"] = [json.dumps(charge, ensure_ascii=False)]
    return fields


def charges_of(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = document.get("charges")
    return [_object(charge) for charge in found[:MAX_CHARGES]] if isinstance(found, list) else []


def tiers_of(charge: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = charge.get("tiers")
    return [_object(tier) for tier in found[:MAX_TIERS]] if isinstance(found, list) else []


def _charge_fields(charge: Mapping[str, Any], at: str) -> Fields:
    model = model_of(charge)
    fields: Fields = {f"{at}-{key}": [_text(key, charge.get(key))] for key in ("name", "model", "unit", "count")}
    for key in ("uses", "kinds"):
        fields[f"{at}-{key}"] = _texts(charge.get(key, [] if counts(charge) and not charge.get("count") else terms.ANY))
    fields[f"{at}-was"] = [json.dumps({key: charge[key] for key in ("uses", "kinds", "unit") if key in charge})]
    fields[f"{at}-licensee_tiers"] = ["\n".join(_texts(charge.get("licensee_tiers")))]
    fields |= {f"{at}-{key}": [_text(key, charge.get(key))] for key in keys_of(model)}
    if has_tiers(charge):
        tiers = tiers_of(charge)
        fields[f"{at}-tiers"] = [str(len(tiers))]
        for n, tier in enumerate(tiers):
            fields |= {f"{at}-tiers-{n}-{key}": [_text(key, tier.get(key))] for key in ("up_to", "price")}
    return fields


def _text(key: str, value: Any) -> str:
    if value is None:
        return ""
    return f"{value:,}" if key in WHOLE and key != "version" and type(value) is int else str(value)


def _texts(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)] if value else []


def _object(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}


# ── Fields → document ──────────────────────────────────────────────────────────────────────────────────────


def read(fields: Mapping[str, Sequence[str]]) -> tuple[dict[str, Any], set[int]]:
    """The document that the fields hold, and which of its charges are open."""
    document: dict[str, Any] = {
        key: _value(key, _one(fields, key)) for key in ("tariff", "version", "name", "currency", "valid_from")
    }
    document |= {key: _one(fields, key) or None for key in ("valid_to", "minimum", "cap")}
    document |= {key: _plain(document[key]) for key in ("minimum", "cap") if document[key]}
    document["combine"] = _one(fields, "combine") or "sum"
    if months := _one(fields, "period_months"):
        document["period_months"] = _value("period_months", months)
    if own := _self_service(fields):
        document["self_service"] = own
    total, opened = _number(_one(fields, "charges"), MAX_CHARGES), set()
    charges = []
    for n in range(total):
        closed = _one(fields, f"charges-{n}-json")
        if not closed:
            opened.add(n)
        charges.append(_from_json(closed) if closed else _charge(fields, f"charges-{n}"))
    return document | {"charges": charges}, opened


def _self_service(fields: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    months, tiers = _one(fields, "self_service-months"), _lines(_one(fields, "self_service-tiers"))
    own: dict[str, Any] = {"tiers": tiers} if tiers else {}
    return own | {"months": _value("months", months)} if months else own


def _charge(fields: Mapping[str, Sequence[str]], at: str) -> dict[str, Any]:
    """A charge with the keys of its model only; scope that says any is left out where the reader allows it."""
    model, count = _one(fields, f"{at}-model"), _one(fields, f"{at}-count")
    charge: dict[str, Any] = {"name": _one(fields, f"{at}-name")}
    counted = counts({"model": model})
    of_lines = counted and not count
    was = _from_json(_one(fields, f"{at}-was"))
    for key, known in (("uses", terms.USES), ("kinds", terms.KINDS)):
        chosen = fields.get(f"{at}-{key}", ())
        codes = [terms.ANY] if terms.ANY in chosen else [code for code in known if code in chosen]
        charge |= _scope(was, key, codes, left_out=not codes or (not of_lines and codes == [terms.ANY]))
    unit = _one(fields, f"{at}-unit")
    charge |= _scope(was, "unit", unit, left_out=not of_lines and unit in ("", terms.ANY))
    if counted and count:
        charge["count"] = count
    if tiers := _lines(_one(fields, f"{at}-licensee_tiers")):
        charge["licensee_tiers"] = tiers
    charge["model"] = model
    charge |= {key: _value(key, _one(fields, f"{at}-{key}")) for key in keys_of(model)}
    if has_tiers(charge):
        rows = range(_number(_one(fields, f"{at}-tiers"), MAX_TIERS))
        charge["tiers"] = [_tier(fields, f"{at}-tiers-{n}") for n in rows]
    return charge


def _scope(was: Mapping[str, Any], key: str, value: Any, *, left_out: bool) -> dict[str, Any]:
    """A part of a charge's scope: as it was written where it still says the same, else in our own way."""
    if key in was and value and set(_texts(was[key])) == set(_texts(value)):
        return {key: was[key]}
    return {} if left_out else {key: value}


def _tier(fields: Mapping[str, Sequence[str]], at: str) -> dict[str, Any]:
    up_to = _one(fields, f"{at}-up_to")
    tier = {"up_to": _value("up_to", up_to)} if up_to else {}
    return tier | {"price": _plain(_one(fields, f"{at}-price"))}


def _value(key: str, text: str) -> Any:
    if key in WHOLE:
        plain = _plain(text)
        return int(plain) if _DIGITS.fullmatch(plain) else text
    return _plain(text) if key in ("amount", "price", "percent") else text


def _plain(text: str) -> str:
    """Digits without the commas that group thousands; anything else as it is."""
    return text.replace(",", "") if _GROUPED.fullmatch(text) else text


def _one(fields: Mapping[str, Sequence[str]], name: str) -> str:
    return next(iter(fields.get(name, ())), "").strip()


def _lines(text: str) -> list[str]:
    return list(dict.fromkeys(line.strip() for line in text.replace("\r", "").split("\n") if line.strip()))


def _number(text: str, most: int) -> int:
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _from_json(text: str) -> dict[str, Any]:
    """An object that a form carried; nothing where it cannot be read, or could not be written again."""
    try:
        found = _object(json.loads(text))
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return {}
    return found


# ── What the buttons do ────────────────────────────────────────────────────────────────────────────────────


def act(document: dict[str, Any], opened: Collection[int], do: str) -> tuple[dict[str, Any], set[int]]:
    """The document after a button: `add`, `remove:2`, `up:2`, `down:2`, `open:2`, `close:2`, `tier:2`, `untier:2:0`."""
    verb, *numbers = do.split(":")
    n, row = ([_number(text, MAX_CHARGES) for text in numbers] + [0, 0])[:2]
    charges = charges_of(document)
    marked = [(charge, at in opened) for at, charge in enumerate(charges)]
    if verb == "add" and len(marked) < MAX_CHARGES:
        marked.append((new_charge(), True))
    elif numbers and n < len(marked):
        charge = marked[n][0]
        if verb == "remove":
            del marked[n]
        elif verb in ("up", "down"):
            to = n - 1 if verb == "up" else n + 1
            if 0 <= to < len(marked):
                marked[n], marked[to] = marked[to], marked[n]
        elif verb in ("open", "close"):
            marked[n] = charge, verb == "open"
        elif verb in ("tier", "untier"):
            marked[n] = charge | {"tiers": _rows(tiers_of(charge), verb, row)}, True
    return document | {"charges": [c for c, _open in marked]}, {
        at for at, (_c, is_open) in enumerate(marked) if is_open
    }


def _rows(tiers: list[dict[str, Any]], verb: str, row: int) -> list[dict[str, Any]]:
    """One tier more, before the open one, or one less."""
    if verb == "untier":
        return [tier for n, tier in enumerate(tiers) if n != row]
    if len(tiers) >= MAX_TIERS:
        return tiers
    return [*tiers[:-1], {"price": ""}, *tiers[-1:]]


def new_charge() -> dict[str, Any]:
    return {"name": "", "uses": [terms.ANY], "kinds": [terms.ANY], "unit": "token", "model": "per_unit"}


def with_tiers(document: dict[str, Any]) -> dict[str, Any]:
    """The document with a row to fill in for each charge by tiers that has none."""
    charges = [
        charge | {"tiers": [{"price": ""}]} if has_tiers(charge) and not tiers_of(charge) else charge
        for charge in charges_of(document)
    ]
    return document | {"charges": charges}


def within(document: Mapping[str, Any], opened: Iterable[int], first: Collection[int] = ()) -> set[int]:
    """Of the charges to be open as many as one form can carry; `first` before the others."""
    charges, room = charges_of(document), OPEN_FIELDS
    kept: set[int] = set()
    for n in sorted(opened, key=lambda n: (n not in first, n)):
        if n < len(charges):
            room -= 30 + 2 * len(tiers_of(charges[n]))
            if room >= 0 or not kept:
                kept.add(n)
    return kept


def field_of(pointer: str, known: Collection[str]) -> str:
    """The field that a problem is told at: the one it points to, or the nearest around it; empty where there is none.

    >>> field_of("/charges/0/uses/1", {"charges-0-uses", "charges"})
    'charges-0-uses'
    """
    name = pointer.strip("/").replace("/", "-")
    while name and name not in known:
        name = name.rpartition("-")[0]
    return name
