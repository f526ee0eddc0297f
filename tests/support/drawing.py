"""A replacement for weasyprint in tests, which draws each PDF only once, because drawing takes a second."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any

import weasyprint


class HTML:
    """A page, with the interface of weasyprint's class."""

    def __init__(self, string: str, url_fetcher: Callable[..., Any]) -> None:
        self._page_and_fetcher = (string, url_fetcher)

    def render(self, *, pdf_variant: str) -> Drawn:
        """Return the drawn page."""
        return _drawn(*self._page_and_fetcher, pdf_variant)

    def write_pdf(self, *, pdf_variant: str) -> bytes:
        """Return the PDF of the page."""
        return _drawn(*self._page_and_fetcher, pdf_variant).pdf


class Drawn:
    """A drawn page, whose PDF is written only once."""

    def __init__(self, document: Any, variant: str) -> None:
        self.pages = document.pages
        self._document = document
        self._variant = variant

    @cached_property
    def pdf(self) -> bytes:
        """Return the PDF."""
        written: bytes = self._document.write_pdf(pdf_variant=self._variant)
        return written

    def write_pdf(self, *, pdf_variant: str) -> bytes:
        """Return the PDF, in the variant for which it was drawn."""
        assert pdf_variant == self._variant
        return self.pdf


@lru_cache(maxsize=32)
def _drawn(page: str, fetch: Callable[..., Any], variant: str) -> Drawn:
    """Return the page, drawn only once."""
    return Drawn(weasyprint.HTML(string=page, url_fetcher=fetch).render(pdf_variant=variant), variant)
