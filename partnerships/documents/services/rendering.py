"""Render a document's Markdown to HTML once, when it is saved."""

from __future__ import annotations

from collections.abc import Iterator

from partnerships.documents.models import Draft, Version
from partnerships.documents.schema import Content, Schema
from partnerships.kit.prose import rules, to_html


def write_content(schema: Schema, draft: Draft, content: Content | None, *known: Version | None) -> None:
    """Set a draft's content and HTML without saving.

    None: the same as the version that the draft is based on. HTML of the same text in `known` is reused.
    """
    draft.prose = prose_of(schema, content, draft, *known) if content is not None else {}
    draft.prose_rules = rules()
    draft.content = content


def prose_of(schema: Schema, content: Content, *known: Draft | Version | None) -> dict[str, str]:
    """The HTML of each Markdown field by path, like "sections/vision/body".

    HTML of the same text in `known` drafts and versions is reused, unless the rules of rendering have changed.
    """
    rendered: dict[str, str] = {}
    for source in known:
        if source is not None and source.content is not None and source.prose_rules == rules():
            rendered |= {
                text: source.prose[path] for path, text in _texts(schema, source.content) if path in source.prose
            }
    prose = {}
    for path, text in _texts(schema, content):
        if text not in rendered:
            rendered[text] = to_html(text)
        prose[path] = rendered[text]
    return prose


def _texts(schema: Schema, content: Content) -> Iterator[tuple[str, str]]:
    about, collections = schema.text_fields
    for field in about:
        if content["about"].get(field):
            yield f"about/{field}", content["about"][field]
    for code, fields in collections.items():
        for item in content.get(code, ()):
            for field in fields:
                if item.get(field):
                    yield f"{code}/{item['key']}/{field}", item[field]
