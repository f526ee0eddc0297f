"""Our SVG drawings as PNG for Word documents, which cannot contain SVG alone."""

from __future__ import annotations

from partnerships.kit.late import late

resvg = late("resvg_py")

#: Width in pixels, which is three for each point of a chart's width on paper.
_WIDTH = 1440
#: The start of a drawing outside a page, where it needs the namespace, and the font of the page's stylesheet.
_STANDALONE_TAG = (
    '<svg xmlns="http://www.w3.org/2000/svg" font-family="Arial, Liberation Sans, DejaVu Sans, sans-serif"'
)


def png_of(svg: str) -> bytes:
    """Return the SVG of a page as PNG, on a white background."""
    standalone_svg = svg.replace("<svg", _STANDALONE_TAG, 1)
    return bytes(resvg.svg_to_bytes(svg_string=standalone_svg, width=_WIDTH, background="#FFFFFF"))
