"""Renders the content of a single email from templates/emails, and builds its message."""

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
from partnerships.outbox.parts import Message, bodies_of_recipes
from partnerships.outbox.reply_addresses import CAN_REPLY

#: The text twice, first plain and then as HTML. Email apps show the last alternative that they can (RFC 2046, 5.1.4).
_ALTERNATIVES = f'Content-Type: multipart/alternative; boundary="{mime.BOUNDARY}"\r\n\r\n--{mime.BOUNDARY}\r\n'
#: Asks other systems not to send out-of-office replies (RFC 3834).
_GENERATED = "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
HEADERS = _GENERATED + _ALTERNATIVES
#: The headers of a message with a file.
HEADERS_WITH_FILE = (
    f'{_GENERATED}Content-Type: multipart/mixed; boundary="{mime.OUTER_BOUNDARY}"\r\n'
    f"\r\n--{mime.OUTER_BOUNDARY}\r\n{_ALTERNATIVES}"
)


@dataclass(frozen=True, slots=True)
class Content:
    """The templates of an email, `templates/emails/{template}.{subject.txt,txt,html}`, and their context.

    Replies are sent to `reply_to` or, without it, to the site's own address for replies. With `takes_replies`, they are
    sent to both. `calendar` is attached as a file.
    """

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    reply_to: str = ""
    takes_replies: bool = False
    calendar: CalendarFile | None = None

    @property
    def full_context(self) -> dict[str, Any]:
        """Return the context of all templates, with the name and address of the site."""
        return {**self.context, "site_name": settings.SITE_NAME, "site_origin": settings.SITE_ORIGIN}

    def render(self, *, choices: str = "", group: str = "", can_reply: bool = False) -> Rendered:
        """Render the subject, the text and the HTML.

        `choices` is the address of the page on which the reader chooses how to get emails of this `group`. The text and
        the HTML then end with a link to that page. With `can_reply`, both tell the reader that they can reply.
        """
        context = {
            **self.full_context,
            "choices": choices,
            "group": group,
            "can_reply": CAN_REPLY if can_reply else "",
        }
        text = render_to_string(f"emails/{self.template}.txt", context).strip() + "\n"
        if can_reply:
            text += f"\n{CAN_REPLY}\n"
        if choices:
            text += f"\nChoose how you get emails like this ({group}):\n{choices}\n"
        return Rendered(
            subject=render_subject(self.template, context),
            text=text,
            html=render_to_string(f"emails/{self.template}.html", context),
            reply_to=self.reply_to,
            takes_replies=self.takes_replies,
            calendar=self.calendar,
        )


@dataclass(frozen=True, slots=True)
class Rendered:
    """The rendered content of an email. `html` is empty for an email in plain text only."""

    subject: str
    text: str
    html: str = ""
    reply_to: str = ""
    takes_replies: bool = False
    calendar: CalendarFile | None = None


def render_subject(template: str, context: Mapping[str, Any]) -> str:
    """Return the subject on one line, as plain text in which nothing is escaped for HTML."""
    subject = Engine.get_default().get_template(f"emails/{template}.subject.txt")
    return " ".join(subject.render(Context(dict(context), autoescape=False)).split())


def link(name: str, **kwargs: object) -> str:
    """Return the full URL of a page, from the configured origin."""
    return f"{settings.SITE_ORIGIN}{reverse(name, kwargs=kwargs)}"


@lru_cache(maxsize=4)
def _shared_headers(sender: str, headers: str = HEADERS) -> mime.Part:
    """Return the headers that all emails share, up to the first part of the message."""
    return mime.shared_part(mime.header_line("From", sender) + headers)


@lru_cache(maxsize=4)
def unsubscribe_headers(page: str) -> tuple[mime.Part | str, ...]:
    """Return headers for unsubscribing in email apps (RFC 2369, RFC 8058), with slots for the stop link's token."""
    return (
        mime.shared_part(f"List-Unsubscribe: <{page}"),
        "stop",
        mime.shared_part(f"/>,\r\n <mailto:{settings.EMAIL_MAILBOX}?subject=stop%20"),
        "stop",
        mime.shared_part(">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"),
    )


def _calendar_parts(calendar: CalendarFile) -> str:
    """Return the end of a message with a calendar file.

    The message contains the file twice, once for apps that show it in the email, and once as an attachment.
    """
    text = mime.quoted_printable(calendar.text)
    content_type = f"text/calendar; charset=utf-8; method={calendar.method.value}"
    encoding = "Content-Transfer-Encoding: quoted-printable\r\n"
    return (
        f"{mime.NEXT_PART}Content-Type: {content_type}\r\n{encoding}\r\n{text}{mime.LAST_PART}"
        f'{mime.NEXT_OUTER_PART}Content-Type: application/ics; name="{calendar.name}"\r\n{encoding}'
        f'Content-Disposition: attachment; filename="{calendar.name}"\r\n\r\n{text}{mime.LAST_OUTER_PART}'
    )


def build_message(
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
    """Return the message to one recipient.

    The text of a message that `is_secret` is deleted once a mail server has accepted it. `replies_to` is the site's own
    address for replies. With `stop`, email apps offer to unsubscribe.
    """
    subject = mime.one_line(rendered.subject)
    head = (
        f"{mime.to_line(name, address)}Message-ID: {message_id}\r\n"
        f"Date: {format_datetime(now.astimezone(dt.UTC))}\r\n{mime.header_line('Subject', subject)}"
    )

    reply_addresses = [rendered.reply_to]
    if rendered.takes_replies or not rendered.reply_to:
        reply_addresses.append(replies_to)
    reply_to = ", ".join(filter(None, reply_addresses))
    if reply_to:
        head += mime.header_line("Reply-To", reply_to)

    body = f"{mime.TEXT_HEAD}{mime.quoted_printable(rendered.text)}"
    if rendered.html:
        html = rendered.html.strip() + "\n"
        body += f"{mime.NEXT_PART}{mime.HTML_HEAD}{mime.quoted_printable(html)}"
    if rendered.calendar is not None:
        body += _calendar_parts(rendered.calendar)
        shared_headers = _shared_headers(settings.DEFAULT_FROM_EMAIL, HEADERS_WITH_FILE)
    else:
        body += mime.LAST_PART
        shared_headers = _shared_headers(settings.DEFAULT_FROM_EMAIL, HEADERS)

    values = {"head": head, "body": body}
    tokens = ("head", "body") if is_secret else ()
    if stop is None:
        return Message(subject[:400], ("head", shared_headers, "body"), values, tokens)
    parts = ("head", *unsubscribe_headers(stop.page), shared_headers, "body")
    return Message(subject[:400], parts, values | {"stop": stop.token}, ("stop", *tokens))


def ids_to_repeat(candidates: Iterable[Candidate]) -> set[int]:
    """Return the ids of the emails in doubt that can be sent again unchanged.

    Their recipients still have the same addresses, and all parts of the messages are still stored.
    """
    recipe_by_email = {
        candidate.pk: candidate.due.recipe
        for candidate in candidates
        if candidate.due.recipe is not None and candidate.due.address.lower() == candidate.address.lower()
    }
    stored_part_ids = bodies_of_recipes(recipe_by_email.values()).keys()
    return {pk for pk, recipe in recipe_by_email.items() if stored_part_ids >= set(recipe.part_ids)}


#: Beginnings of flash messages about emails. A page that shows such a message links to the ledger, if the reader may
#: see the emails there. Only administrators see emails about accounts, such as invitations.
WILL_BE_SENT = "An email will be sent to"
WE_WILL_EMAIL = "We will email"


def email_notice_sentence(names: Sequence[str], *, words: str = WILL_BE_SENT) -> str:
    """Return a sentence such as " An email will be sent to Ben West and Wendy March.", or "" without names."""
    if not names:
        return ""
    *first_names, last_name = names
    listed_names = f"{', '.join(first_names)} and {last_name}" if first_names else last_name
    return f" {words} {listed_names}."
