"""Log lines: one JSON object an event, ours and the libraries' alike, with the request that they belong to."""

from __future__ import annotations

import io
import json
import logging
import logging.config
from typing import Any

import pytest
import structlog

from config.logs import configuration


@pytest.fixture
def said() -> Any:
    """Returns the events that were logged since, as objects."""
    stream = io.StringIO()
    formatter = configuration(json=True, level="INFO")["formatters"]["events"]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(**{k: v for k, v in formatter.items() if k != "()"}))
    root = logging.getLogger()
    root.addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    structlog.contextvars.clear_contextvars()


def test_our_events_and_a_librarys_carry_the_request(said: Any) -> None:
    structlog.contextvars.bind_contextvars(request_id="r-7")
    structlog.get_logger("ours").warning("run.slow", run=3, seconds=1.5)
    logging.getLogger("theirs").warning("plain %s", "words", extra={"request": object(), "status_code": 404})
    ours, theirs = said()
    assert (ours["event"], ours["run"], ours["request_id"], ours["level"]) == ("run.slow", 3, "r-7", "warning")
    assert (theirs["event"], theirs["status_code"], theirs["request_id"]) == ("plain words", 404, "r-7")
    assert "request" not in theirs


def test_a_crash_is_one_line_with_its_trace(said: Any) -> None:
    try:
        raise ZeroDivisionError("한글")
    except ZeroDivisionError as exc:
        structlog.get_logger("ours").error("crashed", exc_info=exc)
    (event,) = said()
    assert "ZeroDivisionError: 한글" in event["exception"]
