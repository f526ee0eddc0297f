"""Our SVG drawings as PNG for Word documents, which cannot hold SVG alone."""

from __future__ import annotations

from partnerships.kit.late import late

resvg = late("resvg_py")

#: Width in pixels: three for each point that a chart is wide on paper.
_WIDTH = 1440
#: What a drawing in a page does not need: the namespace, and the font that the page's stylesheet has.
_STANDALONE_TAG = (
    '<svg xmlns="http://www.w3.org/2000/svg" font-family="Arial, Liberation Sans, DejaVu Sans, sans-serif"'
)


def png_of(svg: str) -> bytes:
    """The SVG of a page as PNG, on white."""
    standalone_svg = svg.replace("<svg", _STANDALONE_TAG, 1)
    return bytes(resvg.svg_to_bytes(svg_string=standalone_svg, width=_WIDTH, background="#FFFFFF"))
