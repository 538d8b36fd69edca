"""Documents as PDF: a typst template lays out words that were written before, with a Hangul font that comes along.

The same bytes whenever and wherever it is made: no fonts of the machine, and the moment is the caller's. Fit to be archived and to
be read aloud: PDF/A-2a and PDF/UA-1, tagged.
"""

from __future__ import annotations

import datetime
import importlib.util
import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typst

_local = threading.local()


def pdf(template: Path, data: Mapping[str, Any], day: datetime.date) -> bytes:
    """The template (`.typ`) with this data, which it reads as JSON from `sys.inputs.data`, as PDF of this day."""
    made = _compiler(template).compile(
        format="pdf",
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        timestamp=datetime.datetime.combine(day, datetime.time(), tzinfo=datetime.UTC),
        pdf_standards=["a-2a", "ua-1"],  # typst refuses to write what does not keep them
    )
    assert isinstance(made, bytes)
    return made


def _compiler(template: Path) -> typst.Compiler:
    """One compiler a thread and template, reused: fonts and template are read once."""
    held: dict[Path, typst.Compiler] = _local.__dict__.setdefault("compilers", {})
    if template not in held:
        held[template] = typst.Compiler(
            str(template), root=str(template.parent), font_paths=_fonts(), ignore_system_fonts=True
        )
    return held[template]


def _fonts() -> list[str]:
    """The folder with NanumGothic (OFL), found without importing its package, which would bring in a plotting library."""
    spec = importlib.util.find_spec("koreanize_matplotlib")
    assert spec is not None and spec.origin is not None
    return [str(Path(spec.origin).parent / "fonts")]
