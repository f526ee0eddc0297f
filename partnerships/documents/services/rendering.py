"""Render the Markdown of a document when it is saved, so that pages need not render it."""

from __future__ import annotations

from collections.abc import Iterator

from partnerships.documents.models import Draft, Version
from partnerships.documents.schema import Content, Schema
from partnerships.kit.prose import rules, to_html


def write_content(schema: Schema, draft: Draft, content: Content | None, *rendered: Version | None) -> None:
    """Set the content and HTML of a draft, without saving the draft.

    The content None means that the draft is the same as the version on which it is based. The HTML of `rendered`
    versions is reused.
    """
    draft.prose = prose_of(schema, content, draft, *rendered) if content is not None else {}
    draft.prose_rules = rules()
    draft.content = content


def prose_of(schema: Schema, content: Content, *rendered: Draft | Version | None) -> dict[str, str]:
    """Return the HTML of each Markdown field, by its path, such as "sections/vision/body".

    Each text is rendered once, also if several fields have it. The HTML of the same text in `rendered` drafts and
    versions is reused, unless the rules of rendering have changed.
    """
    html_by_text: dict[str, str] = {}
    for source in rendered:
        if source is not None and source.content is not None and source.prose_rules == rules():
            html_by_text |= {
                text: source.prose[path] for path, text in _texts(schema, source.content) if path in source.prose
            }
    html_by_path = {}
    for path, text in _texts(schema, content):
        if text not in html_by_text:
            html_by_text[text] = to_html(text)
        html_by_path[path] = html_by_text[text]
    return html_by_path


def _texts(schema: Schema, content: Content) -> Iterator[tuple[str, str]]:
    """Yield the path and the Markdown of each text field that is not empty."""
    about_codes, codes_by_collection = schema.text_fields
    for field_code in about_codes:
        if content["about"].get(field_code):
            yield f"about/{field_code}", content["about"][field_code]
    for code, field_codes in codes_by_collection.items():
        for item in content.get(code, ()):
            for field_code in field_codes:
                if item.get(field_code):
                    yield f"{code}/{item['key']}/{field_code}", item[field_code]
