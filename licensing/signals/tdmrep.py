"""TDMRep (W3C community group, 2024): `/.well-known/tdmrep.json`, the headers, and the policy they point to.

A reservation in TDMRep covers all mining: whatever a machine does with the work, so all of our uses.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from accounts.identity.core import say
from licensing.signals.core import (
    EVERYTHING,
    EVERYWHERE,
    MOST_BYTES,
    THIS_FILE,
    Signal,
    Statement,
    everywhere,
    normal_path,
    without_shadowed,
)
from licensing.signals.hardened import NotRead, json_of, text, web_address
from licensing.signals.vocabulary import TDMREP

SOURCE: Final = "tdmrep"
HEADER_SOURCE: Final = "tdmrep-header"
PROFILE: Final = "http://www.w3.org/ns/tdmrep"
RESERVATION, POLICY = "tdm-reservation", "tdm-policy"
MOST_RULES: Final = 1_000


def read(raw: bytes) -> Signal:
    """The file: a list of rules; the first whose location covers a path speaks of it.

    >>> signal = read(b'[{"location": "/free/", "tdm-reservation": 0}, {"location": "/", "tdm-reservation": 1}]')
    >>> [len(signal.speaks(path).reserved) for path in ("/free/a", "/b")]
    [0, 5]
    """
    try:
        rules = json_of(raw, MOST_BYTES[SOURCE])
    except NotRead as problem:
        return Signal(SOURCE, TDMREP, raw=raw[: MOST_BYTES[SOURCE]], problems=(str(problem),))
    problems: list[str] = []
    if isinstance(rules, dict):
        rules = [rules]
        problems.append(say("A tdmrep.json file is a list; its one rule was read."))
    if not isinstance(rules, list):
        return Signal(SOURCE, TDMREP, raw=raw, problems=(say("A tdmrep.json file is a list of rules."),))
    if len(rules) > MOST_RULES:
        problems.append(say("Only the first {most} rules were read.", most=MOST_RULES))
    statements = [_rule(rule, number, problems) for number, rule in enumerate(rules[:MOST_RULES], start=1)]
    return Signal(SOURCE, TDMREP, tuple(each for each in statements if each), raw, problems=tuple(problems))


def _rule(rule: object, number: int, problems: list[str]) -> Statement | None:
    if not isinstance(rule, dict):
        problems.append(say("Rule {number} is no object.", number=number))
        return None
    location = _location(rule.get("location"))
    if not location:
        problems.append(say("Rule {number} has no location and says nothing.", number=number))
        return None
    value = rule.get(RESERVATION)
    reserved = _flag(value)
    if reserved is None:
        problems.append(say("Rule {number}: the reservation is neither 0 nor 1, so it is not set.", number=number))
        return None
    if value == "1":
        problems.append(say("Rule {number}: the reservation is a text, not a number.", number=number))
    return stated(location, reserved, rule.get(POLICY))


def _location(value: object) -> str:
    location = text(value)
    if location.startswith(("http://", "https://")):
        try:
            location = urlsplit(location).path or EVERYWHERE
        except ValueError:
            return ""
    return location if not location or location.startswith(("/", "*")) else f"/{location}"


def _flag(value: object) -> bool | None:
    """1 and 0 alone are values. A "1" in quotes is taken for what it must mean; a "0" in quotes for nothing."""
    if value == "1" or (type(value) is int and value == 1):
        return True
    return False if type(value) is int and value == 0 else None


def stated(location: str, reserved: bool, policy: object = "") -> Statement:
    """One reservation, or the statement that there is none. Only a reservation has a policy."""
    if reserved:
        return Statement(location, EVERYTHING, policy=web_address(policy))
    return Statement(location, allowed=EVERYTHING)


def read_headers(headers: Mapping[str, str] | Sequence[tuple[str, str]]) -> Signal | None:
    """`tdm-reservation` and `tdm-policy` of an answer; none, where it has neither. They speak of that answer.

    >>> read_headers({"TDM-Reservation": "1", "TDM-Policy": "https://example.com/terms"}).statements[0].policy
    'https://example.com/terms'
    """
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    found = [(name.lower(), value.strip()) for name, value in pairs if name.lower() in (RESERVATION, POLICY)]
    if not found:
        return None
    lines = [f"{name}: {value}" for name, value in found]
    raw = "\n".join(lines).encode("utf-8", "replace")[: MOST_BYTES[HEADER_SOURCE]]
    return said_in(HEADER_SOURCE, raw, found)


def said_in(source: str, raw: bytes, found: Sequence[tuple[str, str]]) -> Signal:
    """The signal of names and values as headers, `<meta>` and EPUB carry them. Where both values stand, 1 counts."""
    values = {value for name, value in found if name == RESERVATION}
    policy = next((value for name, value in found if name == POLICY and value), "")
    problems = []
    if values - {"0", "1"}:
        problems.append(say("The reservation is neither 0 nor 1, so it is not set."))
    if len(values & {"0", "1"}) == 2:
        problems.append(say("The reservation is both 0 and 1; 1 counts."))
    if not values & {"0", "1"}:
        return Signal(source, TDMREP, raw=raw, problems=tuple(problems))
    return Signal(source, TDMREP, (stated(THIS_FILE, "1" in values, policy),), raw, problems=tuple(problems))


def write(reservations: Sequence[Statement]) -> str:
    """The file. A place where anything is reserved is reserved altogether: TDMRep has one word.

    >>> print(write([Statement("/b/", frozenset({"train"}), policy="https://example.com/t")]))
    [
      {
        "location": "/b/",
        "tdm-reservation": 1,
        "tdm-policy": "https://example.com/t"
      }
    ]
    """
    rules = []
    for each in without_shadowed(reservations):
        rule: dict[str, Any] = {
            "location": normal_path(each.location) or EVERYWHERE,
            RESERVATION: int(bool(each.reserved)),
        }
        if each.reserved and each.policy:
            rule[POLICY] = each.policy
        rules.append(rule)
    return json.dumps(rules, indent=2, ensure_ascii=False)


def write_headers(reservations: Sequence[Statement]) -> dict[str, str]:
    """The headers for one answer.

    >>> write_headers([Statement("", frozenset({"index"}))])
    {'tdm-reservation': '1'}
    """
    statement = everywhere(reservations)
    if statement is None:
        return {}
    headers = {RESERVATION: str(int(bool(statement.reserved)))}
    return headers | ({POLICY: statement.policy} if statement.reserved and statement.policy else {})


def write_policy(
    *,
    uid: str,
    assigner: str,
    name: str = "",
    email: str = "",
    page: str = "",
    targets: Sequence[str] = (),
    paid: bool = True,
) -> str:
    """The terms that a reservation points to: an ODRL offer to mine, once consent is obtained and, where so, paid for.

    `uid` is the address at which it is published, `assigner` who offers, `page` where a person finds the tariff.
    """
    duties = [{"action": "obtainConsent"}] + ([{"action": "compensate"}] if paid else [])
    who = {"uid": assigner, "vcard:fn": name, "vcard:hasEmail": email and f"mailto:{email}", "vcard:hasURL": page}
    permission: dict[str, Any] = {"action": "tdm:mine", "duty": duties}
    return json.dumps(
        {
            "@context": ["http://www.w3.org/ns/odrl.jsonld", "http://www.w3.org/ns/tdmrep.jsonld"],
            "@type": "Offer",
            "profile": PROFILE,
            "uid": uid,
            "assigner": {key: value for key, value in who.items() if value},
            "permission": [{"target": target} | permission for target in targets] or [permission],
        },
        indent=2,
        ensure_ascii=False,
    )
