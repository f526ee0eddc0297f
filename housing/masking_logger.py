"""gunicorn's logger with masked lines."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]  # it has no types

from partnerships.kit.masking import MaskingFormatter


class MaskingLogger(Logger):  # type: ignore[misc]  # it has no types
    """gunicorn's logger with masked lines, because they may contain a request's address."""

    def setup(self, cfg: Any) -> None:
        """Set up as usual, then make every handler mask its lines."""
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            plain = handler.formatter
            layout, dates = (plain._fmt, plain.datefmt) if plain else (self.error_fmt, self.datefmt)
            handler.setFormatter(MaskingFormatter(layout, dates))
