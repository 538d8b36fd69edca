"""The distribution rule as a JSON document: read strictly, so that a misspelt key never becomes a silent default."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from accounts.identity.core import Refusal, say
from licensing import terms
from licensing.tariffs.currencies import MINOR_DIGITS

MAX_FACTOR = 1_000_000  # unit weight × use weight × kind points, at most
_PERCENT = re.compile(r"(?:100(?:\.0{1,6})?|[0-9]{1,2}(?:\.[0-9]{1,6})?)")
_MAJOR = re.compile(r"(0|[1-9][0-9]{0,14})(?:\.([0-9]{1,4}))?")
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_REQUIRED = ("rule", "version", "valid_from", "deductions", "use_weights")
_OPTIONAL = ("name", "valid_to", "unit_weights", "kind_points", "equal_part_percent", "reserve_percent")
_MAX_DEDUCTIONS = 50
_MAX_VERSION = 2_147_483_647


@dataclass(frozen=True, slots=True)
class DeductionRule:
    """One deduction: its name and its percent, as millionths of a percent (15 % is 15,000,000).

    It is taken from what the ones before it left or, `of_pool`, from the whole pool; never less than `at_least` and never
    more than `at_most` of a pool's currency (minor units by currency), nor more than is left.
    """

    name: str
    percent: int
    of_pool: bool = False
    at_least: Mapping[str, int] = field(default_factory=dict)
    at_most: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleTerms:
    """A rule as the calculation needs it. Percents are millionths of a percent, weights plain integers."""

    ref: str
    version: int
    valid_from: datetime.date
    valid_to: datetime.date | None
    deductions: tuple[DeductionRule, ...]
    reserve: int
    equal_part: int
    use_weights: Mapping[str, int]
    unit_weights: Mapping[str, int]
    kind_points: Mapping[str, int]

    def factor(self, *, use: str, unit: str, kind: str) -> int:
        """What one declared unit weighs. A kind without points counts 1; so does a unit in a pool that has no other.

        Raises Refusal for a use that the rule does not weigh.
        """
        if use not in self.use_weights:
            raise Refusal(
                "use_without_weight",
                say(
                    "The rule {rule} v{version} gives no weight to the use “{use}”.",
                    rule=self.ref,
                    version=self.version,
                    use=use,
                ),
            )
        return self.use_weights[use] * self.unit_weights.get(unit, 1) * self.kind_points.get(kind, 1)

    def check_units(self, units: Iterable[str]) -> None:
        """Refuse a pool that mixes units which the rule cannot compare."""
        mixed = sorted(set(units))
        missing = [unit for unit in mixed if unit not in self.unit_weights]
        if len(mixed) > 1 and missing:
            raise Refusal(
                "mixed_units",
                say(
                    "The pool mixes units ({mixed}), and the rule {rule} v{version} has no unit weight for "
                    "{missing}. Publish a version of the rule with `unit_weights` for them.",
                    mixed=", ".join(mixed),
                    rule=self.ref,
                    version=self.version,
                    missing=", ".join(missing),
                ),
            )


MAX_BYTES = 1_000_000


def read_text(data: str | bytes) -> Any:
    """A rule document from a file: UTF-8 JSON, no key twice, no number that JSON does not know. Raises Refusal."""
    if len(data) > MAX_BYTES:
        raise Refusal("too_large", say("A rule document has at most {most:,} bytes.", most=MAX_BYTES))
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Refusal("not_json", say("The file is not a JSON document: {error}.", error=error)) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(
            key for place, (key, _value) in enumerate(pairs) if key in [earlier for earlier, _ in pairs[:place]]
        )
        raise ValueError(say("the key “{key}” stands twice", key=twice))
    return found


def _no_number(text: str) -> Any:
    raise ValueError(say("{text} is no number", text=text))


def parse(document: Any) -> RuleTerms:
    """Read a rule document; raises one Refusal that lists every fault with its JSON pointer."""
    return _Reader().rule(document)


class _Reader:
    """Collects faults instead of stopping at the first, so that a person corrects a file once."""

    def __init__(self) -> None:
        self.errors: list[dict[str, str]] = []

    def fault(self, pointer: str, detail: str, code: str = "invalid") -> None:
        self.errors.append({"pointer": pointer, "code": code, "detail": detail})

    def rule(self, document: Any) -> RuleTerms:
        if not isinstance(document, dict):
            raise Refusal("invalid_rule", say("A rule is one JSON object."), pointer="")
        self.keys(document, "", _REQUIRED, _OPTIONAL)
        valid_from = self.date(document, "valid_from")
        valid_to = self.date(document, "valid_to") if document.get("valid_to") is not None else None
        if valid_from and valid_to and valid_to <= valid_from:
            self.fault("/valid_to", say("The end is exclusive and must lie after valid_from."))
        read = RuleTerms(
            ref=self.ref(document),
            version=self.integer(document.get("version", 1), "/version", least=1, most=_MAX_VERSION),
            valid_from=valid_from or datetime.date.min,
            valid_to=valid_to,
            deductions=self.deductions(document.get("deductions", [])),
            reserve=self.percent(document.get("reserve_percent", "0"), "/reserve_percent"),
            equal_part=self.percent(document.get("equal_part_percent", "0"), "/equal_part_percent"),
            use_weights=self.weights(document.get("use_weights", {}), "/use_weights", terms.USES),
            unit_weights=self.weights(document.get("unit_weights", {}), "/unit_weights", terms.UNITS),
            kind_points=self.weights(document.get("kind_points", {}), "/kind_points", terms.KINDS),
        )
        self.name(document.get("name", ""))
        self.product(read)
        if self.errors:
            first = self.errors[0]
            said = f"{first['pointer'] or '/'}: {first['detail']}"
            if more := len(self.errors) - 1:
                said = say("{fault} ({more} more)", fault=said, more=more)
            raise Refusal("invalid_rule", said, errors=self.errors)
        return read

    def keys(
        self, found: dict[str, Any], pointer: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
    ) -> None:
        for key in found:
            if key not in required and key not in optional:
                self.fault(
                    f"{pointer}/{_escape(key)}",
                    say("Unknown key. Known are {known}.", known=", ".join(required + optional)),
                    "unknown_key",
                )
        for key in required:
            if key not in found:
                self.fault(f"{pointer}/{key}", say("This key is missing."), "missing")

    def ref(self, document: dict[str, Any]) -> str:
        value = document.get("rule", "x")
        if not isinstance(value, str) or not _REF.fullmatch(value):
            self.fault("/rule", say("Use 1 to 64 letters, digits, dots, dashes or underscores."))
            return ""
        return value

    def name(self, value: Any) -> None:
        if not isinstance(value, str) or len(value) > 200:
            self.fault("/name", say("A name is text of at most 200 characters."))

    def date(self, document: dict[str, Any], key: str) -> datetime.date | None:
        value = document.get(key)
        if key in document:
            try:
                if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
                    raise ValueError
                return datetime.date.fromisoformat(value)
            except ValueError:
                self.fault(f"/{key}", say("Write a day as YYYY-MM-DD."))
        return None

    def integer(self, value: Any, pointer: str, *, least: int, most: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self.fault(pointer, say("Give an integer from {least} to {most}.", least=least, most=most))
            return least
        return value

    def percent(self, value: Any, pointer: str) -> int:
        if not isinstance(value, str) or not _PERCENT.fullmatch(value):
            self.fault(
                pointer, say('Give a percentage from "0" to "100" as text with at most six decimals, such as "12.5".')
            )
            return 0
        whole, _, decimals = value.partition(".")
        return int(whole) * 1_000_000 + int(decimals.ljust(6, "0") or 0)

    def deductions(self, value: Any) -> tuple[DeductionRule, ...]:
        if not isinstance(value, list) or len(value) > _MAX_DEDUCTIONS:
            self.fault(
                "/deductions",
                say(
                    "Give a list of at most {most} deductions, in the order in which they are taken.",
                    most=_MAX_DEDUCTIONS,
                ),
            )
            return ()
        read: list[DeductionRule] = []
        for place, item in enumerate(value):
            pointer = f"/deductions/{place}"
            if not isinstance(item, dict):
                self.fault(pointer, say("A deduction is an object with name and percent."))
                continue
            self.keys(item, pointer, ("name", "percent"), ("of", "at_least", "at_most"))
            name = item.get("name", f"#{place}")
            if not isinstance(name, str) or not name.strip() or name != name.strip() or len(name) > 100:
                self.fault(f"{pointer}/name", say("Give a name of 1 to 100 characters without blanks around it."))
            elif name in {rule.name for rule in read}:
                self.fault(f"{pointer}/name", say("Two deductions have this name."), "duplicate")
            else:
                read.append(self.deduction(name, item, pointer))
        return tuple(read)

    def deduction(self, name: str, item: dict[str, Any], pointer: str) -> DeductionRule:
        of = item.get("of", "rest")
        if of not in ("rest", "pool"):
            self.fault(f"{pointer}/of", say('Say of what: "rest" (what the ones before left) or "pool".'))
        least, most = (self.amounts(item.get(key, {}), f"{pointer}/{key}") for key in ("at_least", "at_most"))
        for currency in least.keys() & most.keys():
            if least[currency] > most[currency]:
                self.fault(f"{pointer}/at_least/{currency}", say("The least is more than the most."))
        return DeductionRule(
            name, self.percent(item.get("percent", "0"), f"{pointer}/percent"), of == "pool", least, most
        )

    def amounts(self, value: Any, pointer: str) -> Mapping[str, int]:
        """Amounts by currency: in major units as text in the document, in minor units here."""
        if not isinstance(value, dict):
            self.fault(pointer, say("Give amounts by currency, such as {example}.", example='{"KRW": "50000000"}'))
            return {}
        read: dict[str, int] = {}
        for currency, text in value.items():
            digits = MINOR_DIGITS.get(currency)
            found = _MAJOR.fullmatch(text) if isinstance(text, str) else None
            if digits is None:
                self.fault(f"{pointer}/{_escape(currency)}", say("“{code}” is no currency.", code=currency))
            elif found is None or len(found[2] or "") > digits:
                self.fault(
                    f"{pointer}/{_escape(currency)}",
                    say("Give an amount as text, in whole units of the currency and its decimals."),
                )
            else:
                read[currency] = int(found[1]) * 10**digits + int((found[2] or "").ljust(digits, "0") or 0)
        return read

    def weights(self, value: Any, pointer: str, known: Mapping[str, str]) -> Mapping[str, int]:
        if not isinstance(value, dict):
            self.fault(pointer, say("Give an object of code and integer weight."))
            return {}
        for code in value:
            if code not in known:
                self.fault(
                    f"{pointer}/{_escape(code)}",
                    say("Unknown code. Known are {known}.", known=", ".join(known)),
                    "unknown_key",
                )
        return {
            code: self.integer(weight, f"{pointer}/{_escape(code)}", least=0, most=MAX_FACTOR)
            for code, weight in value.items()
            if code in known
        }

    def product(self, read: RuleTerms) -> None:
        highest = [
            max(weights.values(), default=1) for weights in (read.use_weights, read.unit_weights, read.kind_points)
        ]
        product = highest[0] * highest[1] * max(highest[2], 1)
        if product > MAX_FACTOR:
            self.fault(
                "/use_weights",
                say(
                    "The largest weights multiply to {product:,}; use weight × unit weight × kind points may reach {most:,}.",
                    product=product,
                    most=MAX_FACTOR,
                ),
                "too_large",
            )


def _escape(key: str) -> str:
    """A key as a JSON pointer writes it (RFC 6901)."""
    return str(key).replace("~", "~0").replace("/", "~1")
