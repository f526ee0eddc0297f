"""gunicorn's logger with masked lines."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]  # it has no types

from partnerships.kit.masking import MaskingFormatter


class MaskingLogger(Logger):  # type: ignore[misc]  # it has no types
    """gunicorn's logger with masked lines, because a line may contain the address of a request."""

    def setup(self, cfg: Any) -> None:
        """Set up as usual, then make every handler mask its lines."""
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            formatter = handler.formatter
            line_format, date_format = (
                (formatter._fmt, formatter.datefmt) if formatter else (self.error_fmt, self.datefmt)
            )
            handler.setFormatter(MaskingFormatter(line_format, date_format))
