"""How Sphinx makes the pages of the documentation; tools/documentation.py calls it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

project = "Common Ground documentation"
language = "en"
extensions = ["myst_parser"]
# Anchors of headings as code hosts make them, because links in the pages use those.
myst_heading_anchors = 4
# Which page belongs where is said by index.md, not by toctrees. Some blocks show JSON or SQL with "…" in it.
suppress_warnings = ["toc.not_included", "misc.highlighting_failure"]
pygments_style = "none"

html_theme = "theme"
html_theme_path = [str(Path(__file__).parent)]
html_copy_source = False
html_show_sphinx = False
html_use_index = False
html_permalinks_icon = "#"

_LINK = re.compile(r"^\* \[([^\]]+)\]\(([^)#]+)\.md\)")


def parts_of(index: str) -> list[dict[str, Any]]:
    """The parts of the index (for whom), their kinds of pages, and the pages of each: title and name."""
    found: list[dict[str, Any]] = []
    for line in index.splitlines():
        if line.startswith("## "):
            title = line.removeprefix("## ").strip()
            found.append({"title": title, "anchor": title.lower().replace(" ", "-"), "kinds": []})
        elif line.startswith("### "):
            found[-1]["kinds"].append({"title": line.removeprefix("### ").strip(), "pages": []})
        elif match := _LINK.match(line):
            found[-1]["kinds"][-1]["pages"].append({"title": match[1], "name": match[2]})
    return found


def add_parts(app: Sphinx, page: str, template: str, context: dict[str, Any], tree: nodes.document | None) -> None:
    """Tell the template where a page belongs, and let the keyboard scroll what is too wide for a phone."""
    parts = parts_of((Path(app.srcdir) / "index.md").read_text(encoding="utf-8"))
    context["parts"] = parts
    folder = page.split("/")[0]
    listed = [page, f"{folder}/README"]  # a decision belongs where the list of decisions is
    context["part"] = next(
        (
            part
            for name in listed
            for part in parts
            for kind in part["kinds"]
            if name in (one["name"] for one in kind["pages"])
        ),
        None,
    )
    if "body" in context:
        scroll = '<div class="docs-scroll" tabindex="0" role="group" aria-label="Table"><table'
        body = context["body"].replace("<table", scroll).replace("</table>", "</table></div>")
        context["body"] = body.replace("<pre>", '<pre tabindex="0">')


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("html-page-context", add_parts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
