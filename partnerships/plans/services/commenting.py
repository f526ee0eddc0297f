"""Comment on a plan or a piece of a plan, mention people, and resolve threads."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Lower, Replace

from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.outbox.services import record_email
from partnerships.people.models import User
from partnerships.plans.content import COLLECTION_BY_CODE, UnknownPiece, get_piece, split_piece
from partnerships.plans.event_kinds import EventKind
from partnerships.plans.models import Comment, Mention, Plan
from partnerships.plans.queries import (
    can_read_today,
    content_for_reader,
    content_of,
    draft_content,
    reading_class,
    versions_for,
)
from partnerships.plans.rights import Rights, rights_over
from partnerships.plans.services.recording import lock_plan, record_event

#: The most characters in a comment.
MAX_COMMENT = 5_000
#: The most characters and words of a name after an @.
MAX_NAME, MAX_WORDS = 150, 6


class UnableToComment(Exception):
    """The text or the piece is missing, or the plan is over."""


@transaction.atomic
def add_comment(
    *,
    plan: Plan,
    version_number: int,
    text: str,
    author: User,
    now: dt.datetime,
    anchor: str = "",
    parent: Comment | None = None,
    mentioned: Iterable[User] = (),
) -> Comment:
    """Comment on a version (0 is the draft) or on its piece `anchor`, or reply to the comment `parent`.

    A reply is about the same version and piece as its thread, and reopens the thread. People named in the text as
    “@Ben West”, and the people in `mentioned`, get an email if they may read the comment. Raises `UnableToComment`.
    """
    plan = lock_plan(plan)
    # The first comment of a thread has no parent, and all replies have the first comment as their parent.
    thread = (parent.parent or parent) if parent is not None else None
    if thread is not None:
        version_number, anchor = thread.version_number, thread.anchor
    _check_may_comment(plan, version_number, author, now)
    text = text.replace("\r\n", "\n").strip()
    _check_comment(plan, text)
    if thread is not None and thread.plan_id != plan.pk:
        raise UnableToComment("The comment that you are answering belongs to another plan. Open its page again.")

    comment = Comment.objects.create(
        plan=plan,
        version_number=version_number,
        anchor=anchor,
        anchor_label=thread.anchor_label if thread else _anchor_label(plan, version_number, anchor, author),
        parent=thread,
        text=text,
        author=author,
        organisation=Organisation.objects.of_person(author).order_by("name", "pk").first(),
        created_at=now,
    )
    if thread is not None and thread.is_resolved:
        _save_resolution(thread, resolved_at=None, resolved_by=None)

    mentioned_readers = _mentioned_readers(comment, text, mentioned)
    _email_mentioned(comment, mentioned_readers, now=now)
    record_event(
        plan,
        EventKind.COMMENT_ANSWERED if thread else EventKind.COMMENTED,
        author=author,
        organisation=comment.organisation,
        target=comment,
        now=now,
        data={"title": plan.title, "comment": comment.pk, "mentioned": [person.pk for person in mentioned_readers]},
    )
    return comment


def _save_resolution(thread: Comment, *, resolved_at: dt.datetime | None, resolved_by: User | None) -> None:
    """Save when a thread was resolved and who resolved it. Both are None for an open thread."""
    thread.resolved_at = resolved_at
    thread.resolved_by = resolved_by
    thread.save(update_fields=["resolved_at", "resolved_by"])


def _check_comment(plan: Plan, text: str) -> None:
    """Raise `UnableToComment` if the comment is empty or too long, or the plan is over."""
    if not text:
        raise UnableToComment("Enter your comment.")
    if len(text) > MAX_COMMENT:
        raise UnableToComment(
            f"Your comment has {len(text):,} characters, and the limit is {MAX_COMMENT:,}. Shorten it."
        )
    if plan.is_over:
        status = plan.get_status_display().lower()
        raise UnableToComment(f"This plan is {status}, so you can no longer comment on it.")


def _email_mentioned(comment: Comment, people: Sequence[User], *, now: dt.datetime) -> None:
    """Record that the comment mentions these people, and email them."""
    mentions = Mention.objects.bulk_create(Mention(comment=comment, person=person, told_at=now) for person in people)
    for mention in mentions:
        record_email(
            kind="plans.mention",
            person_id=mention.person_id,
            params={"mention": mention.pk},
            sender_id=comment.organisation_id,
            now=now,
        )


def _check_may_comment(plan: Plan, version_number: int, author: User, now: dt.datetime) -> Rights:
    """Return the author's rights if the author may read and comment on this version. Raises `UnableToAct`."""
    rights = rights_over(plan, author, now)
    require(rights.may_comment(version_number))
    require(version_number == 0 or versions_for(author, plan).filter(number=version_number).exists())
    return rights


def _anchor_label(plan: Plan, version_number: int, anchor: str, author: User) -> str:
    """Return the title of the anchor in the version, as the author sees it. Raises `UnableToComment`."""
    if not anchor:
        return ""
    try:
        code, _key = split_piece(anchor)
        content = content_of(plan, version_number) if version_number else draft_content(plan)
        item = get_piece(content_for_reader(content, reading_class(author, plan)), anchor)
    except UnknownPiece as error:
        raise UnableToComment(str(error)) from error

    if code == "order" or item is None:
        raise UnableToComment(
            "This version does not contain that part of the plan. Comment on another part, or on the whole plan."
        )
    if code == "about":
        return "About this plan"
    title_field = COLLECTION_BY_CODE[code].title_field
    return str(item[title_field])


def _mentioned_readers(comment: Comment, text: str, mentioned: Iterable[User]) -> list[User]:
    """Return the mentioned people who may read the comment, except its author."""
    people_by_pk = {person.pk: person for person in mentioned} | {person.pk: person for person in _people_named(text)}
    people_by_pk.pop(comment.author_id, None)
    return [person for person in people_by_pk.values() if can_read_today(comment, person)]


def _people_named(text: str) -> list[User]:
    """Return the people with an account who are named after an @ in the text.

    The longest name is used: "@Ben West" names Ben West, even if another person is called Ben.
    """
    texts_after_at = text.replace("’", "'").lower().split("@")[1:]
    names_by_mention = [_possible_names(text_after_at) for text_after_at in texts_after_at]
    if not names_by_mention:
        return []

    people_by_name = _people_by_name({name for names in names_by_mention for name in names})
    longest_names = [next((name for name in names if name in people_by_name), "") for names in names_by_mention]
    # `fromkeys` keeps each name once, in the order of the text.
    return [person for name in dict.fromkeys(longest_names) for person in people_by_name.get(name, ())]


def _people_by_name(names: Collection[str]) -> dict[str, list[User]]:
    """Return the active people with an account who have one of these names, by name.

    Names are in lower case, with straight apostrophes. Several people can have the same name.
    """
    people = User.objects.filter(is_active=True, account_since__isnull=False).alias(
        plain_name=Lower(Replace("name", Value("’"), Value("'")))
    )
    people_by_name: dict[str, list[User]] = defaultdict(list)
    for person in people.filter(plain_name__in=names).order_by("pk"):
        people_by_name[person.display_name.replace("’", "'").lower()].append(person)
    return people_by_name


def _possible_names(text_after_at: str) -> list[str]:
    """Return the names with which a text after an @ may begin, longest first.

    For example, "ben west" may begin with the names "ben west" and "ben".
    """
    if not text_after_at[:1].strip():
        return []
    words = text_after_at[:MAX_NAME].split()[:MAX_WORDS]
    names = []
    for word_count in range(len(words), 0, -1):
        name = " ".join(words[:word_count])
        # A name may end with a full stop, as in "Jr.", or before a punctuation mark.
        names += [name, name.rstrip(".,;:!?)”\"'")]
    return list(dict.fromkeys(names))


@transaction.atomic
def set_resolved(*, comment: Comment, resolved: bool, author: User, now: dt.datetime) -> Comment:
    """Resolve or reopen a thread, unless the plan is over."""
    plan = lock_plan(comment.plan)
    thread = Comment.objects.select_for_update().get(pk=comment.parent_id or comment.pk)
    rights = _check_may_comment(plan, thread.version_number, author, now)
    require(rights.may_resolve(thread) and not plan.is_over)
    if resolved == thread.is_resolved:
        return thread

    _save_resolution(thread, resolved_at=now if resolved else None, resolved_by=author if resolved else None)
    record_event(
        plan,
        EventKind.COMMENT_RESOLVED if resolved else EventKind.COMMENT_REOPENED,
        author=author,
        target=thread,
        now=now,
        data={"title": plan.title, "comment": thread.pk},
    )
    return thread
