"""Compose emails to people.

The person is queried when the email is sent, not when it is recorded, because the person may leave or change in the
meantime.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, TypeAlias

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist

from partnerships.outbox.content import Content, Rendered, build_message, ids_to_repeat, link, render_subject
from partnerships.outbox.groups import FindSubject, NoticeGroup
from partnerships.outbox.hooks import NoticeTo, StopLink, registered_hooks
from partnerships.outbox.kinds import (
    Batch,
    Candidate,
    Composer,
    DueEmail,
    EmailKind,
    Postponed,
    SetAside,
    SummaryLine,
    email_kind_with_code,
    register_kind,
)
from partnerships.outbox.models import EmailStatus, Lane
from partnerships.outbox.reply_addresses import reply_address
from partnerships.people.models import User

#: A function that writes an email to a person from the email's parameters, and returns its content. It returns a text
#: if the email must not be sent, with the reason, and `Postponed` if the email must wait.
Write: TypeAlias = Callable[[DueEmail, User, dt.datetime], Content | Postponed | str]


class PersonComposer(Composer):
    """Composes one kind of email, with a function that writes the content."""

    def __init__(self, write: Write, *, is_secret: bool = False, may_reach_leavers: bool = False) -> None:
        self._write = write
        self._is_secret = is_secret
        self._may_reach_leavers = may_reach_leavers

    def candidates(self, due: Sequence[DueEmail], *, now: dt.datetime) -> list[Candidate]:
        """Return the due emails with their recipients, in one query. Emails to people who have left are refused."""
        people_by_id = User.objects.in_bulk([email.person_id for email in due if email.person_id is not None])
        return [self._candidate(email, people_by_id.get(email.person_id or 0)) for email in due]

    def _candidate(self, due: DueEmail, person: User | None) -> Candidate:
        if person is None:
            return Candidate(due, due.address, refusal="The recipient no longer exists.")
        refusal = ""
        if person.erased_at is not None:
            refusal = "The recipient’s data has been erased."
        elif not person.is_active and not self._may_reach_leavers:
            refusal = "The recipient has left."
        return PersonCandidate(due, person.email, person.get_full_name(), refusal=refusal, person=person)

    def line(self, due: DueEmail, *, now: dt.datetime) -> SummaryLine | str:
        """Return the email's subject for a list of emails, or why the email would not be sent now."""
        person = User.objects.filter(pk=due.person_id or 0, is_active=True, erased_at=None).first()
        if person is None:
            return "The recipient has left."
        try:
            content = self._write(due, person, now)
        except ObjectDoesNotExist:
            return "The record that the email is about no longer exists."
        if isinstance(content, Postponed):
            return "The email cannot be written yet."
        if isinstance(content, str):
            return content
        return SummaryLine(render_subject(content.template, content.full_context))

    def compose(self, candidates: Sequence[Candidate], batch: Batch, *, now: dt.datetime) -> None:
        """Write each email. Repeat the earlier text if the email may have been sent before."""
        contents: list[tuple[PersonCandidate, Content]] = []
        for candidate in candidates:
            if not isinstance(candidate, PersonCandidate):
                continue
            try:
                content = self._write(candidate.due, candidate.person, now)
            except ObjectDoesNotExist:
                content = "The record that the email is about no longer exists."
            if isinstance(content, Postponed):
                batch.later[candidate.pk] = content.until
            elif isinstance(content, str):
                batch.set_aside.append(SetAside(candidate.pk, EmailStatus.SUPPRESSED, content))
            else:
                contents.append((candidate, content))

        repeatable_ids = ids_to_repeat([candidate for candidate, _ in contents])
        ids_open_to_reply = _ids_open_to_reply(contents, now)
        stop_link_by_id = _stop_links(contents, now)
        for candidate, content in contents:
            due = candidate.due
            email = build_message(
                _render_content(content, candidate, can_reply=candidate.pk in ids_open_to_reply),
                name=candidate.name,
                address=candidate.address,
                message_id=due.message_id,
                is_secret=self._is_secret,
                replies_to=reply_address(candidate.pk, candidate.person.pk) if due.lane == Lane.NOTICE else "",
                stop=stop_link_by_id.get(candidate.pk),
                now=now,
            )
            # Repeat only an unchanged text, because the person may have lost the right to read the first text.
            is_unchanged = due.recipe is not None and email.values["body"] in due.recipe.all_words
            if candidate.pk in repeatable_ids and is_unchanged:
                batch.again.append(candidate)
            else:
                batch.messages[candidate.pk] = email
            batch.checks[candidate.pk] = candidate.person.pk

    def no_longer_allowed(self, checks: dict[int, Any], *, now: dt.datetime) -> set[int]:
        """Return the ids of emails to people who have left since the emails were claimed."""
        if not checks or self._may_reach_leavers:
            return set()
        active_people = User.objects.filter(pk__in=set(checks.values()), is_active=True)
        active_ids = set(active_people.values_list("pk", flat=True))
        return {email_id for email_id, person_id in checks.items() if person_id not in active_ids}


def _render_content(content: Content, candidate: PersonCandidate, *, can_reply: bool) -> Rendered:
    """Return the content as text and HTML.

    If the reader can turn off such emails, the content has a link to the reader's choices.
    """
    kind = email_kind_with_code(candidate.due.kind)
    if kind is None or not _can_be_turned_off(candidate):
        return content.render(can_reply=can_reply)
    choices = f"{link('digests:manage')}#id_way_{kind.group}"
    return content.render(choices=choices, group=NoticeGroup(kind.group).label, can_reply=can_reply)


def _can_be_turned_off(candidate: PersonCandidate) -> bool:
    kind = email_kind_with_code(candidate.due.kind)
    return kind is not None and kind.is_choosable and not candidate.person.is_stakeholder


def _stop_links(contents: Iterable[tuple[PersonCandidate, Content]], now: dt.datetime) -> dict[int, StopLink]:
    """Return the links that stop further emails of the kind, by email id, for emails that people can turn off."""
    notices = [_notice_to(candidate) for candidate, _ in contents if _can_be_turned_off(candidate)]
    stop_links: dict[int, StopLink] = {}
    for hooks in registered_hooks() if notices else ():
        stop_links |= hooks.stop_links(notices=notices, now=now)
    return stop_links


def _notice_to(candidate: PersonCandidate) -> NoticeTo:
    return NoticeTo(
        email_id=candidate.pk,
        kind=candidate.due.kind,
        params=candidate.due.params,
        person_id=candidate.person.pk,
        is_stakeholder=candidate.person.is_stakeholder,
    )


def _ids_open_to_reply(contents: Iterable[tuple[PersonCandidate, Content]], now: dt.datetime) -> set[int]:
    """Return the ids of the emails that recipients can answer.

    Replies go to a person, or to our own address, which reads them.
    """
    ids_open_to_reply: set[int] = set()
    notices: list[NoticeTo] = []
    for candidate, content in contents:
        if content.reply_to:
            ids_open_to_reply.add(candidate.pk)
        elif candidate.due.lane == Lane.NOTICE and settings.EMAIL_REPLIES:
            notices.append(_notice_to(candidate))
    if notices:
        for hooks in registered_hooks():
            ids_open_to_reply |= set(hooks.notices_open_to_reply(notices=notices, now=now))
    return ids_open_to_reply


class PersonCandidate(Candidate):
    """An email that is due, with its recipient."""

    def __init__(self, due: DueEmail, address: str, name: str, *, refusal: str, person: User) -> None:
        super().__init__(due, address, name, refusal=refusal)
        self.person = person


@dataclass(frozen=True, slots=True)
class PersonEmail:
    """A kind of email to people, for `register_emails`.

    With `may_reach_leavers`, it is also sent to people who have left, for example to say that their account was closed.
    """

    code: str
    label: str
    write: Write
    _: KW_ONLY
    group: NoticeGroup
    about: FindSubject | None = None
    always: str = ""
    lane: Lane = Lane.NOTICE
    is_secret: bool = False
    keeps_its_link: bool = False
    may_reach_leavers: bool = False
    reported_facts: Callable[[Mapping[str, Any]], Iterable[Any]] | None = None


def register_emails(*emails: PersonEmail) -> None:
    """Register kinds of email to people. Each code may be registered only once."""
    for email in emails:
        composer = PersonComposer(email.write, is_secret=email.is_secret, may_reach_leavers=email.may_reach_leavers)
        register_kind(
            EmailKind(
                code=email.code,
                label=email.label,
                lane=email.lane,
                composer=composer,
                group=email.group,
                always=email.always,
                about=email.about,
                is_secret=email.is_secret,
                keeps_its_link=email.keeps_its_link,
                reported_facts=email.reported_facts,
            )
        )
