"""Log lines: JSON in production, readable text with DEBUG, and always masked."""

from __future__ import annotations

from typing import Any

import structlog

from partnerships.kit.masking import mask_values

_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def logging_settings(*, level: str, debug: bool) -> dict[str, Any]:
    """Django's LOGGING: structlog's formatter for the lines of every logger."""
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
                    structlog.dev.ConsoleRenderer(colors=False) if debug else structlog.processors.JSONRenderer(),
                ],
            },
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django": console | {"level": "INFO"},
            # Paths contain tokens and search words: RequestLogMiddleware logs the route's name instead.
            "django.request": console | {"level": "ERROR"},
            "django.server": console | {"level": "WARNING"},
            # It logs every stylesheet that it reads.
            "weasyprint": console | {"level": "ERROR"},
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
