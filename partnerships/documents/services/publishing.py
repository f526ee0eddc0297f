"""Publish versions: check what is published, number it, and keep the draft's other changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Max, QuerySet

from partnerships.documents.comparing.change import Change
from partnerships.documents.comparing.finding import changes
from partnerships.documents.comparing.summary import why_not_minor
from partnerships.documents.merging import rebase
from partnerships.documents.models import Draft, Version
from partnerships.documents.normalising import normalise
from partnerships.documents.revisions import touch
from partnerships.documents.schema import Content, Schema
from partnerships.documents.services.rendering import prose_of, write_content
from partnerships.documents.values import InvalidContent
from partnerships.kit.prose import rules
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

NOTHING_CHANGED = "Nothing has changed since the last version."

V = TypeVar("V", bound=Version)


class UnableToPublish(Exception):
    """The draft is unchanged, invalid or out of date, or nothing may be published."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What will be published: `content`, and how it differs from the `previous` one."""

    schema: Schema
    previous: Content
    content: Content
    changes: tuple[Change, ...]
    is_given: bool


def _as_it_is(content: Content, _previous: Content) -> Content:
    return content


def prepare(
    schema: Schema,
    draft: Draft,
    previous: Content,
    *,
    given: Any = None,
    finish: Callable[[Content, Content], Content] = _as_it_is,
) -> Prepared:
    """Check what is to be published: the draft's content, or a given one.

    `previous` is the content of the last version. `finish` returns the content as it is to be published, given that
    content and `previous`; it may raise `UnableToPublish`. Raises `UnableToPublish` where nothing changed or the given
    content is invalid.
    """
    is_given = given is not None
    if is_given:
        try:
            content = normalise(schema, given, known=previous)
        except InvalidContent as error:
            raise UnableToPublish(str(error)) from error
    elif draft.content is not None:
        content = draft.content
    else:
        raise UnableToPublish(NOTHING_CHANGED)
    content = finish(content, previous)
    version_changes = changes(schema, previous, content)
    if not version_changes:
        raise UnableToPublish(NOTHING_CHANGED)
    return Prepared(schema=schema, previous=previous, content=content, changes=version_changes, is_given=is_given)


def refuse_minor(prepared: Prepared) -> None:
    """Refuse a minor version that changes homes, dates, money or parties.

    Signatures on the version before would count for it. Raises `UnableToPublish`, naming what changed.
    """
    reason = why_not_minor(prepared.changes)
    if reason:
        raise UnableToPublish(f"{reason} Publish it as an ordinary version.")


def next_number(versions: QuerySet[V]) -> int:
    """The number of the next version. Lock the document's row first."""
    newest: int | None = versions.aggregate(newest=Max("number"))["newest"]
    return (newest or 0) + 1


def create_version(
    model: type[V],
    prepared: Prepared,
    *,
    number: int,
    note: str,
    author: User | None,
    organisation: Organisation | None,
    now: dt.datetime,
    known: tuple[Draft | Version | None, ...] = (),
    **own: Any,
) -> V:
    """Store the next version, with `own` fields of its model.

    HTML in `known` drafts and versions is reused. Lock the document's row first.
    """
    version: V = model._default_manager.create(
        number=number,
        content=prepared.content,
        prose=prose_of(prepared.schema, prepared.content, *known),
        prose_rules=rules(),
        note=note,
        author=author,
        organisation=organisation,
        published_at=now,
        **own,
    )
    return version


def rebase_draft(
    draft: Draft, prepared: Prepared, version: Version, *, author: User | None, now: dt.datetime, keep: bool
) -> None:
    """Base a locked draft on the new version, without saving it.

    With `keep` the draft keeps what it changes beyond a given content. People who are editing a piece that a given
    content changed will see a conflict.
    """
    if prepared.is_given and keep and draft.content is not None:
        merged = rebase(prepared.schema, draft.content, prepared.previous, prepared.content)
        write_content(prepared.schema, draft, merged if merged != prepared.content else None, version)
    else:
        write_content(prepared.schema, draft, None)
    if prepared.is_given:
        draft.revision += 1
        saved = touch(draft.revision, author.pk if author else None, now)
        draft.pieces |= {change.anchor: saved for change in prepared.changes}
    if draft.content is None:
        draft.clean_revision = draft.revision
    draft.updated_by, draft.updated_at = author, now
