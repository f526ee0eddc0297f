"""Downloads of documents: PDF, Word and CSV."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from partnerships.kit.exports import count_rows, csv_text
from partnerships.kit.late import late

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

#: Where `static/build.mjs` puts the fonts of the site, and how stylesheets of PDFs name them.
_FONTS = settings.BASE_DIR / "static" / "build" / "fonts"
_FONT = re.compile(r"font:([a-z-]+\.woff2)")
#: How each drawing of a page begins: with the fonts of `plans/_pdf_style.html`.
_SVG = '<svg font-family="cg-text-ext, cg-text, DejaVu Sans, sans-serif" '

weasyprint = late("weasyprint")
urls = late("weasyprint.urls")


def _file_name(title: str, extension: str) -> str:
    stem = re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-").lower()[:100] or "document"
    return f"{stem}.{extension}"


class _OurFonts:
    """What a PDF may load: the site's own fonts, as `font:NAME.woff2`; it must fetch nothing else."""

    #: weasyprint asks: a font that is missing is replaced by one of the machine's.
    _fail_on_errors = False

    def __call__(self, url: str) -> Any:
        """The font, for weasyprint. Raises `ValueError` for every other address."""
        named = _FONT.fullmatch(url)
        if named is None:
            raise ValueError("PDFs do not load files from other places")
        return urls.URLFetcherResponse(url, (_FONTS / named[1]).read_bytes())


_our_fonts = _OurFonts()


def can_make_pdf() -> bool:
    """Whether this machine can make PDFs: it needs weasyprint and Pango."""
    try:
        return weasyprint.HTML is not None
    except (ImportError, OSError):
        return False


def draw_pdf(page: str) -> bytes:
    """A page as a tagged PDF. Takes seconds for a long one."""
    pdf: bytes = _sheets_of(page).write_pdf(pdf_variant="pdf/ua-1")
    return pdf


def draw_fitting(drafts: Iterable[str], sheets: int) -> bytes:
    """The first of these pages that fits on this many sheets as a tagged PDF, else the last."""
    drawn = None
    for page in drafts:
        drawn = _sheets_of(page).render(pdf_variant="pdf/ua-1")
        if len(drawn.pages) <= sheets:
            break
    assert drawn is not None  # there is at least one draft
    pdf: bytes = drawn.write_pdf(pdf_variant="pdf/ua-1")
    return pdf


def _sheets_of(page: str) -> Any:
    """The page for WeasyPrint, whose drawings take no font from the stylesheet."""
    return weasyprint.HTML(string=page.replace("<svg ", _SVG), url_fetcher=_our_fonts)


def pdf_response(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    title: str,
    *,
    draw: Callable[[str], bytes] = draw_pdf,
) -> HttpResponse:
    """The template as a tagged PDF, or a page that says what to install.

    `draw` makes the PDF from the page's HTML, or returns a stored one.
    """
    if not can_make_pdf():
        return render(request, "documents/no_pdf.html", context, status=503)
    response = HttpResponse(draw(render_to_string(template, context, request)), content_type="application/pdf")
    return as_file(response, title, "pdf")


def word_response(content: bytes, title: str) -> HttpResponse:
    """A Word document that was written, as a download."""
    return as_file(HttpResponse(content, content_type=WORD), title, "docx")


def csv_response(rows: Iterable[tuple[str, ...]], title: str) -> HttpResponse:
    """Rows as a CSV file; the first row holds the headings."""
    rows = tuple(rows)
    response = HttpResponse(csv_text(rows), content_type="text/csv; charset=utf-8")
    count_rows(response, len(rows) - 1)
    return as_file(response, title, "csv")


def as_file(response: HttpResponse, title: str, extension: str) -> HttpResponse:
    """The response as a file that browsers neither guess nor cache."""
    response["Content-Disposition"] = f'attachment; filename="{_file_name(title, extension)}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
