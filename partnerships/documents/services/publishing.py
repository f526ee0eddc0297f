"""Check a draft, create the next version from it, and base the draft on that version.

The refusals here apply to any document. `plans.services.publishing` has those of plans, and
`agreements.services.terms.sending` those of terms.
"""

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
from partnerships.documents.revisions import record_of_save
from partnerships.documents.schema import Content, Schema
from partnerships.documents.services.rendering import prose_of, write_content
from partnerships.documents.values import InvalidContent
from partnerships.kit.prose import rules
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

NOTHING_CHANGED = "Nothing has changed since the last version, so there is nothing to publish."

V = TypeVar("V", bound=Version)


class UnableToPublish(Exception):
    """The content may not be published, because it is unchanged, invalid or out of date."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Checked content that may be published, with its changes since the previous version."""

    schema: Schema
    previous: Content
    content: Content
    changes: tuple[Change, ...]
    #: Whether the content replaces that of the draft, as in an import.
    is_replacement: bool


def _unchanged(content: Content, _previous: Content) -> Content:
    """Return the new content. This is the default of `finish`."""
    return content


def prepare(
    schema: Schema,
    draft: Draft,
    previous: Content,
    *,
    replacement: Any = None,
    finish: Callable[[Content, Content], Content] = _unchanged,
) -> Prepared:
    """Check the content of a draft, or raw content that replaces it, and return it ready to publish.

    `previous` is the content of the last version. `finish` takes the new content and the previous content, and
    returns the content to publish. Raises `UnableToPublish` if nothing has changed or the replacement is invalid.
    """
    if replacement is not None:
        try:
            content = normalise(schema, replacement, valid=previous)
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
    return Prepared(
        schema=schema,
        previous=previous,
        content=content,
        changes=version_changes,
        is_replacement=replacement is not None,
    )


def refuse_minor(prepared: Prepared) -> None:
    """Raise `UnableToPublish` for a minor version that changes homes, dates, money or parties.

    Signatures on the previous version remain valid for a minor version, so it may not change what was signed.
    """
    reason = why_not_minor(prepared.changes)
    if reason:
        raise UnableToPublish(f"{reason} Publish the draft as an ordinary version.")


def next_number(versions: QuerySet[V]) -> int:
    """Return the number of the next version. Lock the document's row first."""
    highest: int | None = versions.aggregate(highest=Max("number"))["highest"]
    return (highest or 0) + 1


def create_version(
    model: type[V],
    prepared: Prepared,
    *,
    number: int,
    note: str,
    author: User | None,
    organisation: Organisation | None,
    now: dt.datetime,
    rendered: tuple[Draft | Version | None, ...] = (),
    **fields: Any,
) -> V:
    """Create the next version, with the other fields of its model. Lock the document's row first.

    The HTML of the drafts and versions in `rendered` is reused.
    """
    version: V = model._default_manager.create(
        number=number,
        content=prepared.content,
        prose=prose_of(prepared.schema, prepared.content, *rendered),
        prose_rules=rules(),
        note=note,
        author=author,
        organisation=organisation,
        published_at=now,
        **fields,
    )
    return version


def rebase_draft(
    draft: Draft, prepared: Prepared, version: Version, *, author: User | None, now: dt.datetime, keep: bool
) -> None:
    """Base a locked draft on the new version, without saving the draft.

    If an import replaced the draft's content, `keep` says whether the draft's other changes are kept or discarded.
    People who are editing a piece that the import has changed will see a conflict.
    """
    if prepared.is_replacement and keep and draft.content is not None:
        merged = rebase(prepared.schema, draft.content, prepared.previous, prepared.content)
        write_content(prepared.schema, draft, merged if merged != prepared.content else None, version)
    else:
        write_content(prepared.schema, draft, None)
    if prepared.is_replacement:
        draft.revision += 1
        last_save = record_of_save(draft.revision, author.pk if author else None, now)
        draft.pieces |= {change.anchor: last_save for change in prepared.changes}
    if draft.content is None:
        draft.clean_revision = draft.revision
    draft.updated_by = author
    draft.updated_at = now
