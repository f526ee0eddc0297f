"""The content of a single email, rendered from templates/emails."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.template import Context, Engine
from django.template.loader import render_to_string
from django.urls import reverse

from partnerships.kit.calendars import CalendarFile
from partnerships.outbox import mime
from partnerships.outbox.hooks import StopLink
from partnerships.outbox.kinds import Candidate
from partnerships.outbox.parts import Message, bodies
from partnerships.outbox.reply_addresses import CAN_REPLY

#: RFC 2046: the same text twice, the better one last.
_ALTERNATIVES = f'Content-Type: multipart/alternative; boundary="{mime.BOUNDARY}"\r\n\r\n--{mime.BOUNDARY}\r\n'
#: RFC 3834: no out-of-office replies.
_GENERATED = "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
HEADERS = _GENERATED + _ALTERNATIVES
#: The same, before the parts of a message with a file.
HEADERS_WITH_FILE = (
    f'{_GENERATED}Content-Type: multipart/mixed; boundary="{mime.OUTER_BOUNDARY}"\r\n'
    f"\r\n--{mime.OUTER_BOUNDARY}\r\n{_ALTERNATIVES}"
)


@dataclass(frozen=True, slots=True)
class Content:
    """`templates/emails/{template}.{subject.txt,txt,html}` and a context.

    Replies go to `reply_to`, or to an address of ours without one. With `takes_replies` they go to both. `calendar`
    goes with it as a file.
    """

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    reply_to: str = ""
    takes_replies: bool = False
    calendar: CalendarFile | None = None

    @property
    def words(self) -> dict[str, Any]:
        """What the templates are rendered with."""
        return {**self.context, "site_name": settings.SITE_NAME, "site_origin": settings.SITE_ORIGIN}

    def render(self, *, choices: str = "", group: str = "", can_reply: bool = False) -> Rendered:
        """The subject on one line, the text and the HTML.

        With `choices`, the address of the page of choices, both parts end with a link to it, about this group.
        `can_reply`: both say that one can reply.
        """
        words = {**self.words, "choices": choices, "group": group, "can_reply": CAN_REPLY if can_reply else ""}
        text = render_to_string(f"emails/{self.template}.txt", words).strip() + "\n"
        if can_reply:
            text += f"\n{CAN_REPLY}\n"
        if choices:
            text += f"\nChoose how you get emails like this ({group}):\n{choices}\n"
        return Rendered(
            subject=render_subject(self.template, words),
            text=text,
            html=render_to_string(f"emails/{self.template}.html", words),
            reply_to=self.reply_to,
            takes_replies=self.takes_replies,
            calendar=self.calendar,
        )


@dataclass(frozen=True, slots=True)
class Rendered:
    """The rendered content of an email; `html` is empty for plain text."""

    subject: str
    text: str
    html: str = ""
    reply_to: str = ""
    takes_replies: bool = False
    calendar: CalendarFile | None = None


def render_subject(template: str, context: Mapping[str, Any]) -> str:
    """The subject on one line, as plain text: nothing is escaped for HTML."""
    subject = Engine.get_default().get_template(f"emails/{template}.subject.txt")
    return " ".join(subject.render(Context(dict(context), autoescape=False)).split())


def link(name: str, **kwargs: object) -> str:
    """The full address of a page, from the configured origin."""
    return f"{settings.SITE_ORIGIN}{reverse(name, kwargs=kwargs)}"


@lru_cache(maxsize=4)
def _sender(sender: str, headers: str = HEADERS) -> mime.Part:
    """The headers that all emails share, up to the first part."""
    return mime.part_of(mime.header("From", sender) + headers)


@lru_cache(maxsize=4)
def unsubscribe_headers(page: str) -> tuple[mime.Part | str, ...]:
    """How mail programs unsubscribe (RFC 2369 and RFC 8058), with a slot for the token of the stop link."""
    return (
        mime.part_of(f"List-Unsubscribe: <{page}"),
        "stop",
        mime.part_of(f"/>,\r\n <mailto:{settings.EMAIL_MAILBOX}?subject=stop%20"),
        "stop",
        mime.part_of(">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"),
    )


def _with_calendar(calendar: CalendarFile) -> str:
    """The ends of a message with a calendar file.

    Once for programs that show it, once as a file to open.
    """
    text = mime.encode(calendar.text)
    kind = f"text/calendar; charset=utf-8; method={calendar.method.value}"
    encoding = "Content-Transfer-Encoding: quoted-printable\r\n"
    return (
        f"{mime.NEXT_PART}Content-Type: {kind}\r\n{encoding}\r\n{text}{mime.LAST_PART}"
        f'{mime.NEXT_OUTER_PART}Content-Type: application/ics; name="{calendar.name}"\r\n{encoding}'
        f'Content-Disposition: attachment; filename="{calendar.name}"\r\n\r\n{text}{mime.LAST_OUTER_PART}'
    )


def message(
    rendered: Rendered,
    *,
    name: str,
    address: str,
    message_id: str,
    is_secret: bool,
    replies_to: str = "",
    stop: StopLink | None = None,
    now: dt.datetime,
) -> Message:
    """The message to one recipient; a secret one is deleted once accepted.

    `replies_to` is our own address for replies. With `stop`, mail programs offer to unsubscribe.
    """
    subject = mime.one_line(rendered.subject)
    head = (
        f"{mime.to_header(name, address)}Message-ID: {message_id}\r\n"
        f"Date: {format_datetime(now.astimezone(dt.UTC))}\r\n{mime.header('Subject', subject)}"
    )
    adds_reply_address = rendered.takes_replies or not rendered.reply_to
    answered_at = ", ".join(filter(None, (rendered.reply_to, replies_to if adds_reply_address else "")))
    if answered_at:
        head += mime.header("Reply-To", answered_at)
    body = f"{mime.TEXT_HEAD}{mime.encode(rendered.text)}"
    if rendered.html:
        body += f"{mime.NEXT_PART}{mime.HTML_HEAD}{mime.encode(rendered.html.strip() + chr(10))}"
    calendar = rendered.calendar
    values = {"head": head, "body": body + (_with_calendar(calendar) if calendar else mime.LAST_PART)}
    tokens = ("head", "body") if is_secret else ()
    sender = _sender(settings.DEFAULT_FROM_EMAIL, HEADERS_WITH_FILE if calendar else HEADERS)
    if stop is None:
        return Message(subject[:400], ("head", sender, "body"), values, tokens)
    parts = ("head", *unsubscribe_headers(stop.page), sender, "body")
    return Message(subject[:400], parts, values | {"stop": stop.token}, ("stop", *tokens))


def repeatable(candidates: Iterable[Candidate]) -> set[int]:
    """The numbers of emails in doubt that can be sent again unchanged.

    Their address is the same and all their parts are stored.
    """
    frozen = [candidate for candidate in candidates if candidate.due.recipe is not None]
    stored = bodies(candidate.due.recipe for candidate in frozen if candidate.due.recipe is not None).keys()
    return {
        candidate.pk
        for candidate in frozen
        if candidate.due.recipe is not None
        and candidate.due.address.lower() == candidate.address.lower()
        and stored >= set(candidate.due.recipe.part_ids)
    }


#: Mark a flash message that announces emails; pages then link to the ledger, where the reader may see it. Emails about
#: accounts, such as invitations, are seen by administrators alone.
WILL_BE_SENT = "An email will be sent to"
WE_WILL_EMAIL = "We will email"


def will_be_emailed(names: Sequence[str], *, words: str = WILL_BE_SENT) -> str:
    """` An email will be sent to Ben West and Wendy March.`, or "" for nobody."""
    if not names:
        return ""
    return f" {words} {' and '.join(filter(None, [', '.join(names[:-1]), names[-1]]))}."
