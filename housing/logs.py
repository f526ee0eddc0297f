"""The format of log lines, which is JSON or text for people. All lines are masked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

from partnerships.kit.masking import mask_values

_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
_RENDERERS: dict[str, Callable[[], Any]] = {
    "json": structlog.processors.JSONRenderer,
    "text": lambda: structlog.dev.ConsoleRenderer(colors=False),
}


def logging_settings(*, level: str, layout: str, stream: str) -> dict[str, Any]:
    """Return the setting LOGGING, with structlog's formatter for the lines of every logger.

    `layout` is "json" or "text", and `stream` is "stdout" or "stderr".
    """
    console = {"handlers": ["console"], "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": "structlog.stdlib.ProcessorFormatter",
                "foreign_pre_chain": _PROCESSORS,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    mask_values,
                    _RENDERERS[layout](),
                ],
            },
        },
        "handlers": {
            "console": {"class": "logging.StreamHandler", "formatter": "lines", "stream": f"ext://sys.{stream}"},
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django": console | {"level": "INFO"},
            # Paths contain tokens and search words, so RequestLogMiddleware logs the route's name instead.
            "django.request": console | {"level": "ERROR"},
            "django.server": console | {"level": "WARNING"},
            # These two packages log every stylesheet and every table of a font that they read.
            "weasyprint": console | {"level": "ERROR"},
            "fontTools": console | {"level": "ERROR"},
            "celery": console | {"level": level},
        },
    }


def configure_structlog() -> None:
    """Send structlog's lines through Python's logging."""
    structlog.configure(
        processors=[*_PROCESSORS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
