"""Download documents as PDF, Word or CSV."""

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

#: The folder into which `static/build.mjs` copies the site's fonts, and their addresses in stylesheets of PDFs.
_FONTS = settings.BASE_DIR / "static" / "build" / "fonts"
_FONT = re.compile(r"font:([a-z-]+\.woff2)")
#: The start of each drawing on a page, with the fonts of `plans/_pdf_style.html`.
_SVG = '<svg font-family="cg-text-ext, cg-text, DejaVu Sans, sans-serif" '

weasyprint = late("weasyprint")
urls = late("weasyprint.urls")


def _file_name(title: str, extension: str) -> str:
    stem = re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-").lower()[:100] or "document"
    return f"{stem}.{extension}"


class _OurFonts:
    """Loads the site's own fonts (`font:NAME.woff2`) for WeasyPrint, and no other files."""

    #: WeasyPrint reads this attribute. If a font is missing, it uses a font of the machine instead of failing.
    _fail_on_errors = False

    def __call__(self, url: str) -> Any:
        """Return the font. Raises `ValueError` for any other address."""
        match = _FONT.fullmatch(url)
        if match is None:
            raise ValueError("PDFs do not load files from other places")
        return urls.URLFetcherResponse(url, (_FONTS / match[1]).read_bytes())


_our_fonts = _OurFonts()


def can_make_pdf() -> bool:
    """Return whether this machine can make PDFs, for which it needs WeasyPrint and Pango."""
    try:
        return weasyprint.HTML is not None
    except (ImportError, OSError):
        return False


def draw_pdf(html: str) -> bytes:
    """Return a page of HTML as a tagged PDF. A long page takes seconds."""
    pdf: bytes = _weasyprint_html(html).write_pdf(pdf_variant="pdf/ua-1")
    return pdf


def draw_fitting(drafts: Iterable[str], sheets: int) -> bytes:
    """Return the first draft that fits on this number of sheets, or else the last draft, as a tagged PDF.

    `drafts` are pages of HTML, from the longest to the shortest.
    """
    document = None
    for html in drafts:
        document = _weasyprint_html(html).render(pdf_variant="pdf/ua-1")
        if len(document.pages) <= sheets:
            break
    assert document is not None  # there is at least one draft
    pdf: bytes = document.write_pdf(pdf_variant="pdf/ua-1")
    return pdf


def _weasyprint_html(html: str) -> Any:
    """Return a page for WeasyPrint.

    Drawings get their fonts as an attribute, because WeasyPrint does not apply the fonts of the stylesheet to them.
    """
    return weasyprint.HTML(string=html.replace("<svg ", _SVG), url_fetcher=_our_fonts)


def pdf_response(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    title: str,
    *,
    draw: Callable[[str], bytes] = draw_pdf,
) -> HttpResponse:
    """Return the template as a tagged PDF, or a page that explains what to install on the server.

    `draw` takes the HTML of the page and returns the PDF, which may be a stored one.
    """
    if not can_make_pdf():
        return render(request, "documents/no_pdf.html", context, status=503)
    response = HttpResponse(draw(render_to_string(template, context, request)), content_type="application/pdf")
    return as_file(response, title, "pdf")


def word_response(content: bytes, title: str) -> HttpResponse:
    """Return a Word document as a download."""
    return as_file(HttpResponse(content, content_type=WORD), title, "docx")


def csv_response(rows: Iterable[tuple[str, ...]], title: str) -> HttpResponse:
    """Return rows as a CSV file. The first row contains the headings."""
    all_rows = tuple(rows)
    response = HttpResponse(csv_text(all_rows), content_type="text/csv; charset=utf-8")
    count_rows(response, len(all_rows) - 1)
    return as_file(response, title, "csv")


def as_file(response: HttpResponse, title: str, extension: str) -> HttpResponse:
    """Make the response a download that browsers do not cache and whose type they do not guess."""
    response["Content-Disposition"] = f'attachment; filename="{_file_name(title, extension)}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
