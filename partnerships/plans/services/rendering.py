"""Render a plan's Markdown to HTML once, when it is saved."""

from __future__ import annotations

from collections.abc import Iterator

from partnerships.kit.prose import rules, to_html
from partnerships.plans.content import ABOUT, COLLECTIONS, Content
from partnerships.plans.models import Draft, Version

_ABOUT = tuple(field.code for field in ABOUT if field.shape == "text")
_COLLECTIONS = {
    collection.code: codes
    for collection in COLLECTIONS
    if (codes := tuple(field.code for field in collection.fields if field.shape == "text"))
}


def write_draft(draft: Draft, content: Content | None, *known: Version | None) -> None:
    """Set a draft's content and HTML without saving.

    None: the same as the newest version.
    """
    draft.prose = prose_of(content, draft, *known) if content is not None else {}
    draft.prose_rules = rules()
    draft.content = content


def prose_of(content: Content, *known: Draft | Version | None) -> dict[str, str]:
    """The HTML of each Markdown field by path, like "sections/vision/body".

    HTML of the same text in `known` drafts and versions is reused, unless the rules of rendering have changed.
    """
    rendered: dict[str, str] = {}
    for source in known:
        if source is not None and source.content is not None and source.prose_rules == rules():
            rendered |= {text: source.prose[path] for path, text in _texts(source.content) if path in source.prose}
    prose = {}
    for path, text in _texts(content):
        if text not in rendered:
            rendered[text] = to_html(text)
        prose[path] = rendered[text]
    return prose


def _texts(content: Content) -> Iterator[tuple[str, str]]:
    for field in _ABOUT:
        if content["about"][field]:
            yield f"about/{field}", content["about"][field]
    for code, fields in _COLLECTIONS.items():
        for item in content[code]:
            for field in fields:
                if item[field]:
                    yield f"{code}/{item['key']}/{field}", item[field]
