"""A licence as an ODRL 2.2 agreement (W3C), and the few words that ODRL lacks for it. Pure.

Uses, kinds, models and datasets have no terms in ODRL's common vocabulary: they are those of our profile, which
`vocabulary` defines. What is not permitted here is not permitted.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from typing import Any, Final

from licensing import terms

CONTEXT: Final = "http://www.w3.org/ns/odrl.jsonld"
MEDIA_TYPE: Final = "application/ld+json"
_OPERANDS: Final = {
    "kind": "kind of work",
    "model": "name of the AI model that uses the works",
    "dataset": "name of the dataset in which the works are used",
    "charactersInARow": "characters of one work that an output repeats in a row",
}


def agreement(said: Mapping[str, Any], *, address: str, profile: str, works: str, stands: bool) -> dict[str, Any]:
    """The agreement that a certificate speaks of. `said` is its payload; one that does not stand permits nothing."""
    target = {"@type": "AssetCollection", "source": works} | _refined([_is_any_of(f"{profile}#kind", said["kinds"])])
    terms_of_use = [
        *_within(said["term"]),
        _is_any_of("spatial", said["territory"]),
        _is_any_of(f"{profile}#model", said["models"] or [terms.ANY]),
        _is_any_of(f"{profile}#dataset", said["datasets"] or [terms.ANY]),
    ]
    rule = {"target": target, "constraint": [each for each in terms_of_use if each]}
    uses = terms.USES if terms.ANY in said["uses"] else said["uses"]
    permitted = [{"action": f"{profile}#{use}", **rule} for use in uses] if stands else []
    conditions = said.get("conditions", {})
    policy: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "Agreement",
        "uid": f"{address}odrl.json",
        "profile": profile,
        "dc:source": address,
        "dc:issued": said["issued_at"],
        "assigner": _party(said["society"], f"{address}#society"),
        "assignee": _party(said["licensee"], f"{address}#licensee"),
    }
    if stands and conditions.get("sublicensing"):
        permitted.append({"action": "grantUse", **rule})
    prohibited = _prohibited(target, conditions, profile, stands=stands)
    duties = _duties(target, conditions, said["term"]["to"])
    parts = {"permission": permitted, "prohibition": prohibited, "obligation": duties}
    return policy | {name: rules for name, rules in parts.items() if rules}


def vocabulary(profile: str) -> dict[str, Any]:
    """The profile: each use as an action, and what its constraints compare."""
    uses = [
        {
            "@id": f"{profile}#{use}",
            "@type": "odrl:Action",
            "skos:prefLabel": label,
            "odrl:includedIn": {"@id": "odrl:use"},
        }
        for use, label in terms.USES.items()
    ]
    operands = [
        {"@id": f"{profile}#{name}", "@type": "odrl:LeftOperand", "skos:definition": said}
        for name, said in _OPERANDS.items()
    ]
    return {
        "@context": {
            "odrl": "http://www.w3.org/ns/odrl/2/",
            "skos": "http://www.w3.org/2004/02/skos/core#",
            "owl": "http://www.w3.org/2002/07/owl#",
        },
        "@id": profile,
        "@type": "owl:Ontology",
        "@graph": [*uses, *operands],
    }


def _party(said: Mapping[str, str], uid: str) -> dict[str, str]:
    return {"@type": "Party", "uid": uid, "vcard:fn": said["name"], "vcard:organization-name": said["ref"]}


def _within(term: Mapping[str, str | None]) -> list[dict[str, Any]]:
    """From the first day; before the first day after the term."""
    days = [("gteq", term["from"]), ("lt", term["to"])]
    return [_compared("dateTime", operator, day, "xsd:date") for operator, day in days if day]


def _prohibited(
    target: Mapping[str, Any], conditions: Mapping[str, Any], profile: str, *, stands: bool
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [] if stands else [{"target": target, "action": "use"}]
    if conditions.get("sublicensing") is not True:
        found.append({"target": target, "action": "grantUse"})
    if conditions.get("output_limit") is not None:
        more = _compared(f"{profile}#charactersInARow", "gt", str(conditions["output_limit"]), "xsd:integer")
        found.append({"target": target, "action": {"rdf:value": {"@id": "odrl:reproduce"}} | _refined([more])})
    return found


def _duties(target: Mapping[str, Any], conditions: Mapping[str, Any], until: str | None) -> list[dict[str, Any]]:
    """To delete copies: so long after they were made, and so long after the end."""
    found = []
    if conditions.get("retention_days") is not None:
        kept = _compared("elapsedTime", "lteq", f"P{conditions['retention_days']}D", "xsd:duration")
        found.append({"target": target, "action": "delete", "constraint": [kept]})
    if conditions.get("deletion_days") is not None and until is not None:
        end = datetime.date.fromisoformat(until) + datetime.timedelta(days=conditions["deletion_days"])
        by = _compared("dateTime", "lt", end.isoformat(), "xsd:date")
        found.append({"target": target, "action": "delete", "constraint": [by]})
    return found


def _is_any_of(operand: str, codes: Collection[str]) -> dict[str, Any] | None:
    """None where there is no limit."""
    if terms.ANY in codes:
        return None
    return {"leftOperand": operand, "operator": "isAnyOf", "rightOperand": list(codes)}


def _compared(operand: str, operator: str, value: str | None, datatype: str) -> dict[str, Any]:
    right = {"@value": value, "@type": datatype}
    return {"leftOperand": operand, "operator": operator, "rightOperand": right}


def _refined(constraints: Collection[dict[str, Any] | None]) -> dict[str, Any]:
    found = [each for each in constraints if each]
    return {"refinement": found} if found else {}
