"""Drawings of ours as pictures for Word documents, which cannot hold SVG on its own."""

from __future__ import annotations

from partnerships.kit.late import late

resvg = late("resvg_py")

#: Pixels across: three for each point of a chart on paper.
_WIDTH = 1440
_SVG = "<svg"
_AS_FILE = '<svg xmlns="http://www.w3.org/2000/svg" font-family="Arial, Liberation Sans, DejaVu Sans, sans-serif"'


def png_of(svg: str) -> bytes:
    """An SVG of a page as PNG on white.

    On the page the stylesheet gives the font, here the drawing does.
    """
    picture = resvg.svg_to_bytes(svg_string=svg.replace(_SVG, _AS_FILE, 1), width=_WIDTH, background="#FFFFFF")
    return bytes(picture)
