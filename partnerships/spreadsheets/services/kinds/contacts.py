"""Posts of an organisation and who holds them, one a row."""

from __future__ import annotations

import datetime as dt
import zlib
from typing import Any

from django.utils import timezone

from partnerships.agreements.models import Holder, Post, PostRole
from partnerships.agreements.services import (
    Contact,
    UnableToChangePost,
    change_contact,
    create_post,
    fill_post,
)
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.spreadsheets.reading.cells import one_of
from partnerships.spreadsheets.reading.columns import SheetColumn, column
from partnerships.spreadsheets.services.kinds import partnership_rows
from partnerships.spreadsheets.services.kinds.base import FEW, Exported, Run, SheetKind, Target
from partnerships.spreadsheets.services.kinds.records import one_row
from partnerships.transfer.reading.headings import Line

_ROLES = dict(PostRole.choices)
#: Columns that say how to reach somebody, with the most characters of each.
_CONTACT = {"name": 150, "email": 254, "phone": 40, "working_days": 100, "note": 300}
_REASON = "From a spreadsheet."
_STALE = ("a contact was changed since the preview.", "Upload this row again to see both.")


def _columns(_target: Target) -> tuple[SheetColumn, ...]:
    return (
        column("role", "What the post is for", "role", "post", required=True, choices=_ROLES, example="Planning"),
        column("title", "Title of the post", "title", "job title", "position", example="Head of planning"),
        column(
            "name", "Name", "contact", "contact name", "full name", example="Pat Doe", hint="Blank for a vacant post."
        ),
        column("email", "Email address", "email", "e-mail", example="pat.doe@example.org"),
        column("phone", "Phone", "telephone", "phone number", "tel", example="01234 567890"),
        column("working_days", "Working days", example="Monday to Wednesday"),
        column("note", "Note", "notes"),
    )


def _organisation(target: Target) -> Organisation:
    assert target.organisation is not None  # who may import acts for one
    return target.organisation


def _may_import(target: Target, person: User, now: dt.datetime) -> bool:
    if target.partnership is not None:
        return partnership_rows.may_import(target, person, now)
    return target.organisation is not None and roles_of(person, now).edit_for(target.organisation.pk)


def _remembered_for(target: Target, person: User, now: dt.datetime) -> Organisation | None:
    return target.organisation


def _revision(target: Target) -> int:
    """A checksum of who holds the posts and how to reach them: contacts have no revisions."""
    here = Holder.objects.filter(post__organisation=target.organisation, post__partnership=target.partnership)
    held = here.order_by("pk").values_list("pk", "person", "ends_on", *_CONTACT)
    return zlib.crc32(repr(list(held)).encode()) & 0x7FFF_FFFF


def _apply(run: Run) -> None:
    """Fill, change or create a post for each sound row."""
    organisation = _organisation(run.target)
    stale = run.seen is not None and run.seen != _revision(run.target)
    people = {
        row.person.email.casefold(): row.person
        for row in Membership.objects.current().filter(organisation=organisation).select_related("person")
    }
    seen: dict[tuple[str, ...], Line] = {}
    for line in run.lines():
        before = len(run.rows.problems)
        role = run.rows.read(line, "role", one_of(_ROLES)) or ""
        if not line.text("role"):
            run.refuse(line, "role", "the cell is blank.", "Write what the post is for.")
        for code, limit in _CONTACT.items():
            if len(line.text(code)) > limit:
                run.refuse(line, code, f"it is {len(line.text(code)):,} characters long.", f"Shorten it to {limit}.")
        if len(run.rows.problems) > before:
            continue
        title = line.text("title")
        where = (role, title.casefold(), line.text("name") if role == PostRole.TEAM else "")
        if (same := seen.setdefault(where, line)) is not line:
            run.refuse(line, "", f"it is the same post as row {same.number}.", "Keep one of the two rows.")
            continue
        with one_row(run, line, UnableToChangePost):
            _hold(run, line, role, title, people.get(line.text("email").casefold()), stale=stale)


def _hold(run: Run, line: Line, role: str, title: str, person: User | None, *, stale: bool) -> None:
    """Create the post if it is missing, and let the person of the row hold it."""
    organisation, partnership = _organisation(run.target), run.target.partnership
    found = Post.objects.open().filter(organisation=organisation, partnership=partnership, role=role)
    post = found.filter(title__iexact=title).first()
    is_new = post is None
    post = post or create_post(
        organisation=organisation, role=role, author=run.author, now=run.now, partnership=partnership, title=title
    )
    contact = Contact(**{code: line.text(code) for code in _CONTACT})
    holders = list(post.holders.on(timezone.localdate(run.now)).select_related("person").order_by("pk"))
    same = next((holder for holder in holders if _is(holder, contact, person)), None)
    shown = f"{post}: {contact.name or 'vacant'}"
    if same is not None:
        _reach(run, line, same, contact, shown, stale=stale)
    elif (contact.name or person is not None) and stale and not is_new:
        run.refuse(line, "", *_STALE)
    elif contact.name or person is not None:
        if person is not None:
            contact = Contact(**{**_as_dict(contact), "name": "", "email": ""})
        fill_post(post=post, reason=_REASON, author=run.author, now=run.now, person=person, contact=contact)
        run.report.count("created" if is_new else "changed", shown)
    else:
        run.report.count("created" if is_new else "left_alone", shown if is_new else "")


def _is(holder: Holder, contact: Contact, person: User | None) -> bool:
    """Whether the row is about this holder: the same account, or the same name."""
    if person is not None or holder.person_id is not None:
        return holder.person == person or (person is None and holder.display_name == contact.name)
    return holder.name.casefold() == contact.name.casefold()


def _as_dict(contact: Contact) -> dict[str, str]:
    return {code: getattr(contact, code) for code in _CONTACT}


def _reach(run: Run, line: Line, holder: Holder, contact: Contact, shown: str, *, stale: bool) -> None:
    """Change how to reach a holder, if the row says anything else."""
    kept: dict[str, Any] = {code: said or getattr(holder, code) for code, said in _as_dict(contact).items()}
    if holder.person is not None:
        kept["name"] = ""
        kept["email"] = "" if kept["email"].casefold() == holder.person.email.casefold() else kept["email"]
    if all(getattr(holder, code) == said for code, said in kept.items()):
        run.report.count("left_alone")
        return
    if stale:
        run.refuse(line, "", *_STALE)
        return
    change_contact(holder=holder, contact=Contact(**kept), author=run.author, now=run.now)
    run.report.count("changed", shown)


def _rows(target: Target, person: User) -> list[Exported]:
    """The posts that the person may see, of the target's organisation."""
    if target.organisation is None:
        return []
    posts = Post.objects.visible_to(person).open()
    shown_posts = posts.filter(organisation=target.organisation, partnership=target.partnership).order_by(
        "role", "title", "pk"
    )
    holders = (
        Holder.objects.visible_to(person)
        .on()
        .filter(post__in=shown_posts)
        .select_related("person", "post")
        .order_by("pk")
    )
    by_post: dict[int, list[Holder]] = {}
    for holder in holders:
        by_post.setdefault(holder.post_id, []).append(holder)
    return [_exported(post, holder) for post in shown_posts for holder in by_post.get(post.pk, [None])]


def _exported(post: Post, holder: Holder | None) -> Exported:
    held = (
        {}
        if holder is None
        else {
            "name": holder.display_name,
            "email": holder.shown_email,
            **{code: getattr(holder, code) for code in ("phone", "working_days", "note")},
        }
    )
    return {"role": _ROLES[post.role], "title": post.title, **held}


CONTACTS = SheetKind(
    code="contacts",
    many="contacts",
    columns=_columns,
    rows=_rows,
    apply=_apply,
    may_import=_may_import,
    remembered_for=_remembered_for,
    revision=_revision,
    at_once=FEW,
    lead=(
        "One row for each post and who holds it. Contacts without an account get an email that says what we hold "
        "about them."
    ),
)
