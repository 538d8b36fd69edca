"""What datasets say of their own size, in Croissant descriptions and Hugging Face cards, and what hostile ones get."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts.identity.core import Refusal
from licensing.declarations.models import PublicFigure, Question
from licensing.intake.formats.descriptions import Figure, figures
from tests.licensing.declaring import declare, firm, lines

HUB = "https://huggingface.co/datasets/"
CARD = """---
pretty_name: Korean News
size_categories:
- 1M<n<10M
dataset_info:
- config_name: train-2025
  features:
  - name: text
    dtype: string
  splits:
  - name: train
    num_bytes: 568769281.5
    num_examples: 3005
    num_tokens: 2000
  - name: test
    num_examples: 81
    num_tokens: 1000
- config_name: small
  splits:
  - name: train
    num_examples: 10
---
# Not 999 tokens
"""


def croissant(**more: Any) -> bytes:
    return json.dumps({
        "@context": {"@vocab": "https://schema.org/"}, "@type": "sc:Dataset", "name": "corpus",
        "url": "https://example.org/corpus", "conformsTo": "http://mlcommons.org/croissant/1.0",
    } | more).encode()  # fmt: skip


def test_a_card_says_its_rows_by_configuration_and_in_all() -> None:
    """A measure that a split does not state has no sum; a band of sizes and bytes are no figures."""
    source = HUB + "press/news"
    assert figures(CARD.encode(), dataset="press/news") == [
        Figure("press/news/train-2025", "row", 3086, source + "#train-2025"),
        Figure("press/news/train-2025", "token", 3000, source + "#train-2025"),
        Figure("press/news/small", "row", 10, source + "#small"),
        Figure("press/news", "row", 3096, source),
        Figure("press/news", "token", 3000, source),
    ]
    assert {each.dataset for each in figures(CARD.replace("\n", "\r\n").encode())} > {"Korean News"}


def test_a_card_may_state_its_tokens_in_all() -> None:
    card = b"---\nnum_tokens: 156,000,000,000\ndataset_info:\n  splits:\n  - {name: train, num_examples: 5}\n---\n"
    assert [(each.measure, each.amount) for each in figures(card, dataset="c4")] == [
        ("token", 156_000_000_000), ("row", 5),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({"size": {"@type": "QuantitativeValue", "value": 10, "unitText": "Records"}}, [("row", 10)]),
        ({"size": "1,234 tokens"}, [("token", 1234)]),
        ({"variableMeasured": [{"name": "tokens", "value": 2e9}, {"name": "colour", "value": 7}]}, [("token", 2 * 10**9)]),
        ({"additionalProperty": {"@type": "PropertyValue", "name": "images", "value": "77"}}, [("image", 77)]),
    ],
)  # fmt: skip
def test_a_croissant_description_says_them_as_schema_org_has_them(
    said: dict[str, Any], found: list[tuple[str, int]]
) -> None:
    stated = figures(croissant(dateModified="2026-01-31T10:00:00Z", **said))
    assert [(each.measure, each.amount) for each in stated] == found
    assert {(each.dataset, each.source, each.stated_on) for each in stated} == {
        ("corpus", "https://example.org/corpus", dt.date(2026, 1, 31))
    }


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (croissant(distribution=[{"contentSize": "97.73 TiB"}]), "no_figures"),  # bytes say nothing of tokens
        (croissant(size={"value": True, "unitText": "rows"}), "no_figures"),
        (croissant(size="-5 rows"), "no_figures"),
        (croissant(size="9" * 5000 + " rows"), "no_figures"),
        (croissant(size="5 rows", url="javascript:alert(1)"), "unnamed"),
        (croissant(**{"@type": "sc:Person"}), "unreadable_file"),
        (b'{"@type": ' + b"[" * 100_000, "unreadable_file"),
        (b"---\nnum_tokens: 5\n---\n", "unnamed"),
        (b"---\nnum_tokens: 5\n", "unreadable_file"),
        (b"---\n- 5\n---\n", "unreadable_file"),
        (b"---\na: &a [1]\nb: [*a, *a]\n---\n", "unreadable_file"),
        (b"---\na: !!python/object/apply:os.system [id]\n---\n", "unreadable_file"),
        (b"---\na: " + b"[" * 100_000 + b"\n---\n", "unreadable_file"),
        (b"---\n\xff\n---\n", "unreadable_file"),
    ],
)
def test_what_states_nothing_or_is_hostile_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        figures(data)
    assert refused.value.code == code


def test_a_card_is_imported_with_its_source_and_held_against_a_total(db: None, tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "README.md"
    file.write_text(CARD)

    def run(path: Path, **options: Any) -> Any:
        call_command("import_figures", str(path), "--json", **options)
        return json.loads(capsys.readouterr().out)

    first, again = run(file, dataset="press/news"), run(file, dataset="press/news")
    assert (first["created"], again["unchanged"], PublicFigure.objects.count()) == (5, 5, 5)
    declared = declare(firm(), lines(*(f"domain,s{n}.example.com,1000" for n in range(30))), dataset="Press/News")
    question = Question.objects.get(declaration=declared, code="above_public_size")
    assert HUB + "press/news" in question.detail
    described = tmp_path / "croissant.json"
    described.write_bytes(croissant(size="1,234 tokens"))
    assert run(described)["created"] == 1
    assert PublicFigure.objects.get(dataset="corpus").amount == Decimal(1234)
