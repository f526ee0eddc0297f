"""Renders digests: shared parts are rendered once, and personal texts fill the slots between them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any, NamedTuple

from django.conf import settings
from django.template.loader import render_to_string

from partnerships.digests.emails import own_lists
from partnerships.digests.emails.blocks import Block
from partnerships.digests.emails.entries import Entry, entries_of
from partnerships.digests.emails.headers import Addressee, list_id, own_headers, static_headers
from partnerships.digests.emails.links import Purpose, make_all, minute_of, page_prefix
from partnerships.digests.emails.styling import inline, inline_fragment, style
from partnerships.digests.emails.wording import SUMMARY_BECAUSE, Wording, summary_wording, wording_of
from partnerships.digests.planning.matches import MatchLine
from partnerships.digests.planning.notices import NoticeLine
from partnerships.kit.waiting import WaitingTask
from partnerships.outbox import mime
from partnerships.outbox.content import unsubscribe_headers
from partnerships.outbox.parts import Message
from partnerships.outbox.reply_addresses import CAN_REPLY


@dataclass(frozen=True, slots=True, eq=False)
class DigestContent:
    """What one digest says."""

    blocks: Sequence[Block]
    matches: Sequence[MatchLine]
    #: The notices, each as one line.
    lines: Sequence[NoticeLine]
    #: The reader's open tasks.
    waiting: Sequence[WaitingTask]
    #: Reasons why the reader gets the digest, to follow "You are receiving this email because".
    because: Sequence[str]
    how_often: str
    #: The privacy notice; "" unless this is the first email to a stakeholder.
    notice: str
    #: True if many digests of the batch have the same reasons and frequency, so that these are stored once.
    is_common: bool = False
    #: True if the reader can reply, to a person or to the site's own mailbox.
    can_reply: bool = False

    @property
    def is_summary(self) -> bool:
        """Return True if the digest contains only notices."""
        return bool(self.lines) and not self.blocks and not self.matches


class SharedContent(NamedTuple):
    """The cache key of the shared parts of a digest, with every value that their text depends on."""

    blocks: tuple[Block, ...]
    match_count: int
    notice_count: int
    has_waiting: bool
    has_privacy_notice: bool
    #: Texts that many readers have in common, as pairs of slot and text.
    texts: tuple[tuple[str, str], ...]
    #: The wording of a digest that contains only notices; None for any other digest.
    summary: Wording | None
    can_reply: bool


@dataclass(frozen=True, slots=True)
class SharedParts:
    """The subject of digests with the same content, and their shared parts with slots for personal texts between."""

    subject: str
    parts: tuple[mime.Part | str, ...]


#: The slots for personal texts; each is filled with plain text in the text part and with HTML in the other.
_PERSONAL = ("name", "lead", "how_often", "matches", "lines", "waiting", "notice", "because")
#: The links: the variable of the templates, the page, and the slot for the token.
_TOKENS = (
    ("stop", "digests:stop", "stop"),
    ("preferences", "digests:preferences", "preferences"),
    ("view", "digests:view", "read"),
)
#: The slots of a digest for tokens.
TOKENS = tuple(token for _, _, token in _TOKENS)


@lru_cache(maxsize=1)
def frame() -> tuple[mime.SlottedTemplate, mime.SlottedTemplate]:
    """Return the frame around the blocks of every digest, first as text and then as HTML."""

    def render(part: str) -> str:
        context: dict[str, Any] = {name: mime.slot(f"{name}_{part}") for name in (*_PERSONAL, "heading", "can_reply")}
        context |= {variable: f"{page_prefix(page)}{mime.bare_slot(slot)}/" for variable, page, slot in _TOKENS}
        context |= {"blocks": mime.slot("blocks"), "css": style(), "site_name": settings.SITE_NAME}
        return str(render_to_string(f"emails/digests/digest.{part}", context))

    html = inline(render("html")).rstrip("\n") + "\n"
    return (
        mime.cut_at_marks(render("txt"), before=mime.TEXT_HEAD, after=mime.NEXT_PART),
        mime.cut_at_marks(html, before=mime.HTML_HEAD, after=mime.LAST_PART),
    )


def clear_caches() -> None:
    """Clear everything that was rendered, for tests that change a setting."""
    for cached in (frame, static_headers, shared_parts, page_prefix, unsubscribe_headers):
        cached.cache_clear()


@lru_cache(maxsize=256)
def shared_parts(content: SharedContent) -> SharedParts:
    """Return the parts of a digest that all readers of this content share.

    Equal content gets the identical tuple of parts, from which the outbox recognises that emails share the parts.
    """
    blocks = content.blocks
    wording = content.summary or wording_of([block.news for block in blocks], content.match_count, content.notice_count)
    text_by_slot: dict[str, str] = {}
    texts = (("heading", wording.heading), ("lead", wording.lead), *content.texts)
    for slot, text in (*texts, ("can_reply", f" {CAN_REPLY}" if content.can_reply else "")):
        text_by_slot[f"{slot}_txt"], text_by_slot[f"{slot}_html"] = _encoded(text)
    has_content = {
        "matches": content.match_count,
        "lines": content.notice_count,
        "waiting": content.has_waiting,
        "notice": content.has_privacy_notice,
    }
    for slot, is_filled in has_content.items():
        if not is_filled:
            text_by_slot |= {f"{slot}_txt": "", f"{slot}_html": ""}

    text_frame, html_frame = frame()
    text_part = mime.fill_slot(text_frame, "blocks", [block.text for block in blocks])
    html_blocks = [block.html if len(blocks) == 1 else block.html_among for block in blocks]
    html_part = mime.fill_slot(html_frame, "blocks", html_blocks)
    subject_headers = mime.shared_part(mime.header_line("Subject", wording.subject) + list_id(blocks))
    headers = ("head", *unsubscribe_headers(page_prefix("digests:stop")), subject_headers, static_headers())
    return SharedParts(wording.subject, mime.fill_fixed((*headers, *text_part.parts, *html_part.parts), text_by_slot))


def digest(
    addressee: Addressee,
    content: DigestContent,
    *,
    delivery_id: int,
    message_id: str,
    zone: str,
    date: str,
    now: dt.datetime,
) -> Message:
    """Return a digest as a message, with this reader's texts and links in the slots between the shared parts."""
    # These two sentences are part of the shared text if many readers of the batch have the same ones.
    # The footer adds a full stop, and the title of a followed recommendation may end with one too.
    because = ", and because ".join(_reasons(content)).rstrip(".")
    footer_texts = {"because": because, "how_often": content.how_often}
    entries, other_tasks = entries_of(content.lines, content.waiting)
    shared_content = shared_parts(
        SharedContent(
            blocks=tuple(content.blocks),
            match_count=len(content.matches),
            notice_count=len(content.lines),
            has_waiting=bool(other_tasks),
            has_privacy_notice=bool(content.notice),
            texts=tuple(footer_texts.items()) if content.is_common else (),
            summary=summary_wording(content.lines, now=now, zone=zone) if content.is_summary else None,
            can_reply=content.can_reply,
        )
    )

    stop, preferences, read = make_all(
        (Purpose.STOP, Purpose.PREFERENCES, Purpose.READ),
        person_id=addressee.person_id,
        link_key=addressee.link_key,
        record_id=delivery_id,
        minute=minute_of(now),
    )
    values = {"head": own_headers(addressee, message_id, date), "stop": stop, "preferences": preferences, "read": read}
    own_texts = {"name": addressee.first_name}
    if not content.is_common:
        own_texts |= footer_texts
    for slot, text in own_texts.items():
        values[f"{slot}_txt"], values[f"{slot}_html"] = _encoded(text)
    values |= _encoded_lists(content, entries, other_tasks)
    return Message(shared_content.subject, shared_content.parts, values, TOKENS)


def _encoded_lists(
    content: DigestContent, entries: Sequence[Entry], other_tasks: Sequence[WaitingTask]
) -> dict[str, str]:
    """Return the reader's lists and privacy notice by slot. Slots without content are left out.

    `other_tasks` are the open tasks that no entry of the summary mentions.
    """
    values: dict[str, str] = {}
    if content.notice:
        values["notice_txt"] = mime.quoted_printable(f"{content.notice}\n\n")
        values["notice_html"] = mime.quoted_printable(notice_as_html(content.notice))
    for part in ("txt", "html"):
        if other_tasks:
            values[f"waiting_{part}"] = mime.quoted_printable(own_lists.render_tasks(part, other_tasks))
        if content.matches:
            values[f"matches_{part}"] = mime.quoted_printable(own_lists.render_matches(part, content.matches))
        if content.lines:
            notices = own_lists.render_notices(part, entries, len(content.lines), has_button=content.is_summary)
            values[f"lines_{part}"] = mime.quoted_printable(notices)
    return values


def _reasons(content: DigestContent) -> Iterator[str]:
    """Yield the reasons why the reader gets this digest, to follow "You are receiving this email because"."""
    yield from content.because
    if content.matches:
        yield "you asked for new matches of your organisation’s asks and offers"
    if content.lines:
        yield SUMMARY_BECAUSE


@lru_cache(maxsize=256)
def _encoded(text: str) -> tuple[str, str]:
    """Return a text encoded for the text part, and for the HTML part."""
    return mime.quoted_printable(text), mime.quoted_printable(escape(text))


@lru_cache(maxsize=256)
def notice_as_html(notice: str) -> str:
    """Return the privacy notice as a paragraph, with the address at its end as a link."""
    text, _, address = notice.rpartition(" ")
    html = f'<p class="notice">{escape(text)} <a href="{escape(address)}">{escape(address)}</a></p>'
    return inline_fragment(html)
