"""Logs by structlog: our events and the libraries' alike carry the request's id, and go to standard error."""

from __future__ import annotations

from typing import Any

import structlog

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.stdlib.ExtraAdder(),
]


def configuration(*, json: bool, level: str) -> dict[str, Any]:
    """The LOGGING setting, and structlog set up to pass its events into it: JSON lines, or lines for people."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED[:-1],
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    tail = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
        if json
        else [structlog.dev.ConsoleRenderer()]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "events": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, _plain, *tail],
            },
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "events"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            "pikepdf": {"handlers": [], "level": "WARNING", "propagate": True},  # else it greets every command
        },
    }


def _plain(_logger: Any, _name: str, event: dict[str, Any]) -> dict[str, Any]:
    """Without what libraries attach to a record but nobody can read: request and response objects, sockets."""
    return {
        key: value
        for key, value in event.items()
        if isinstance(value, str | int | float | bool | tuple | list | dict | None | BaseException)
    }
