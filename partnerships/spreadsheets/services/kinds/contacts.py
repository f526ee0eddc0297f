"""Spreadsheets of an organisation's contacts, in which each row is a post and its holder."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils import timezone

from partnerships.agreements.models import Holder, Post, PostRole
from partnerships.agreements.services import (
    ContactDetails,
    UnableToChangePost,
    change_contact,
    create_post,
    fill_post,
)
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.spreadsheets.reading.cells import choice_reader
from partnerships.spreadsheets.reading.columns import SheetColumn, column
from partnerships.spreadsheets.services.kinds import partnership_rows
from partnerships.spreadsheets.services.kinds.base import FEW, Exported, ImportedRows, SheetKind, Target
from partnerships.spreadsheets.services.kinds.records import set_aside_if_refused
from partnerships.spreadsheets.services.kinds.refusals import (
    RepeatedRows,
    refuse_blank,
    refuse_changed_since_preview,
    refuse_if_long,
)
from partnerships.transfer.reading.headings import Line

_ROLES = dict(PostRole.choices)
#: The columns with contact details, and the maximum length of each.
_MAX_LENGTHS = {"name": 150, "email": 254, "phone": 40, "working_days": 100, "note": 300}
_REASON = "From a spreadsheet."


def _columns(_target: Target) -> tuple[SheetColumn, ...]:
    """Return the columns of every contacts spreadsheet. A row of a vacant post has only the first two."""
    return (
        column("role", "What the post is for", "role", "post", required=True, choices=_ROLES, example="Planning"),
        column("title", "Title of the post", "title", "job title", "position", example="Head of planning"),
        column(
            "name",
            "Name",
            "contact",
            "contact name",
            "full name",
            example="Pat Doe",
            hint="Leave this blank for a vacant post.",
        ),
        column("email", "Email address", "email", "e-mail", example="pat.doe@example.org"),
        column("phone", "Phone", "telephone", "phone number", "tel", example="01234 567890"),
        column("working_days", "Working days", example="Monday to Wednesday"),
        column("note", "Note", "notes"),
    )


def _organisation(target: Target) -> Organisation:
    """Return the organisation whose contacts these are."""
    assert target.organisation is not None  # people who may import act for an organisation
    return target.organisation


def _may_import(target: Target, person: User, now: dt.datetime) -> bool:
    """Return whether the person may change the organisation's contacts."""
    if target.partnership is not None:
        return partnership_rows.may_import(target, person, now)
    return target.organisation is not None and roles_of(person, now).may_edit_for(target.organisation.pk)


def _remembered_for(target: Target, person: User, now: dt.datetime) -> Organisation | None:
    """Return the organisation whose confirmed headings are used and remembered."""
    return target.organisation


def _revision(target: Target) -> int:
    """Return a checksum of the holders and their contact details, because contacts have no revisions."""
    holders = Holder.objects.filter(post__organisation=target.organisation, post__partnership=target.partnership)
    details = holders.order_by("pk").values_list("pk", "person", "ends_on", *_MAX_LENGTHS)
    return zlib.crc32(repr(list(details)).encode()) & 0x7FFF_FFFF


def _apply(run: ImportedRows) -> None:
    """Create, fill or change a post for each row."""
    is_stale = run.previewed_revision is not None and run.previewed_revision != _revision(run.target)
    person_by_email = _person_by_email(_organisation(run.target))
    repeated_rows = RepeatedRows(run, "post")
    for line in run.lines():
        row = _read_row(run, line, person_by_email)
        if row is None or repeated_rows.refuse_if_repeated(line, row.key):
            continue
        with set_aside_if_refused(run, line, UnableToChangePost):
            _apply_row(run, line, row, is_stale=is_stale)


def _person_by_email(organisation: Organisation) -> dict[str, User]:
    """Return the organisation's people by their email addresses."""
    memberships = Membership.objects.current().filter(organisation=organisation).select_related("person")
    return {membership.person.email.casefold(): membership.person for membership in memberships}


@dataclass(frozen=True, slots=True)
class _Row:
    """A post and its holder."""

    role: str
    title: str
    contact: ContactDetails
    #: The account with the email address, if it belongs to the organisation.
    person: User | None

    @property
    def key(self) -> tuple[str, ...]:
        """The key of the post that the row is about. In a team, each person has a row, so the name is included."""
        return (self.role, self.title.casefold(), self.contact.name if self.role == PostRole.TEAM else "")

    @property
    def is_vacant(self) -> bool:
        """Whether the row names nobody."""
        return not self.contact.name and self.person is None


def _read_row(run: ImportedRows, line: Line, person_by_email: Mapping[str, User]) -> _Row | None:
    """Return the row, or None if the row is refused."""
    role = run.read(line, "role", choice_reader(_ROLES)) or ""
    if not line.text("role"):
        refuse_blank(run, line, "role", "Enter what the post is for.")
    for code, limit in _MAX_LENGTHS.items():
        refuse_if_long(run, line, code, line.text(code), limit=limit)
    if run.is_refused(line):
        return None
    return _Row(
        role=role,
        title=line.text("title"),
        contact=ContactDetails(**{code: line.text(code) for code in _MAX_LENGTHS}),
        person=person_by_email.get(line.text("email").casefold()),
    )


def _apply_row(run: ImportedRows, line: Line, row: _Row, *, is_stale: bool) -> None:
    """Create the post if it does not exist, and make the person of the row its holder."""
    organisation, partnership = _organisation(run.target), run.target.partnership
    open_posts = Post.objects.not_ended().filter(organisation=organisation, partnership=partnership, role=row.role)
    existing_post = open_posts.filter(title__iexact=row.title).first()
    is_new = existing_post is None
    post = existing_post or create_post(
        organisation=organisation,
        role=row.role,
        author=run.author,
        now=run.now,
        partnership=partnership,
        title=row.title,
    )

    holders = post.holders.current(timezone.localdate(run.now)).select_related("person").order_by("pk")
    holder = next((holder for holder in holders if _is_holder(row, holder)), None)
    report_line = f"{post}: {row.contact.name or 'vacant'}"
    if holder is not None:
        _change_details(run, line, holder, row.contact, report_line, is_stale=is_stale)
    elif row.is_vacant:
        run.report.count("created" if is_new else "left_alone", report_line if is_new else "")
    elif is_stale and not is_new:
        refuse_changed_since_preview(run, line, "a contact")
    else:
        # The name and email address of a person with an account come from the account.
        contact = replace(row.contact, name="", email="") if row.person is not None else row.contact
        fill_post(post=post, reason=_REASON, author=run.author, now=run.now, person=row.person, contact=contact)
        run.report.count("created" if is_new else "changed", report_line)


def _is_holder(row: _Row, holder: Holder) -> bool:
    """Return whether the row is about this holder, with the same account or, without an account, the same name."""
    if row.person is not None or holder.person_id is not None:
        return holder.person == row.person or (row.person is None and holder.display_name == row.contact.name)
    return holder.name.casefold() == row.contact.name.casefold()


def _change_details(
    run: ImportedRows, line: Line, holder: Holder, contact: ContactDetails, report_line: str, *, is_stale: bool
) -> None:
    """Change the contact details of a holder. A blank cell does not change a detail."""
    details: dict[str, Any] = {code: getattr(contact, code) or getattr(holder, code) for code in _MAX_LENGTHS}
    if holder.person is not None:
        details["name"] = ""
        if details["email"].casefold() == holder.person.email.casefold():
            details["email"] = ""
    if all(getattr(holder, code) == detail for code, detail in details.items()):
        run.report.count("left_alone")
    elif is_stale:
        refuse_changed_since_preview(run, line, "a contact")
    else:
        change_contact(holder=holder, contact=ContactDetails(**details), author=run.author, now=run.now)
        run.report.count("changed", report_line)


def _rows(target: Target, person: User) -> list[Exported]:
    """Return the posts of the target's organisation that the person may see. A vacant post has one row."""
    if target.organisation is None:
        return []
    posts = Post.objects.visible_to(person).not_ended()
    posts = posts.filter(organisation=target.organisation, partnership=target.partnership)
    posts = posts.order_by("role", "title", "pk")
    holders = Holder.objects.visible_to(person).current().filter(post__in=posts)
    holders_by_post: dict[int, list[Holder]] = {}
    for holder in holders.select_related("person", "post").order_by("pk"):
        holders_by_post.setdefault(holder.post_id, []).append(holder)

    rows: list[Exported] = []
    for post in posts:
        post_cells = {"role": _ROLES[post.role], "title": post.title}
        holders_of_post = holders_by_post.get(post.pk, [])
        rows += [post_cells | _details(holder) for holder in holders_of_post] or [post_cells]
    return rows


def _details(holder: Holder) -> dict[str, str]:
    """Return the cells of a holder in the export."""
    details = {code: getattr(holder, code) for code in ("phone", "working_days", "note")}
    return {"name": holder.display_name, "email": holder.contact_email} | details


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
        "Use one row for each post and the person in it. Contacts without an account get an email that says what we "
        "know about them."
    ),
)
