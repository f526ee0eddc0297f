"""Renders digests: shared parts are rendered once, and personal texts fill the slots between them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any, NamedTuple

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from partnerships.digests.emails.changes import Section
from partnerships.digests.emails.entries import Entry, entries_of
from partnerships.digests.emails.links import Purpose, is_current, make_all, minute_of
from partnerships.digests.emails.news import News
from partnerships.digests.emails.styling import inline, inline_fragment, style
from partnerships.digests.emails.wording import SUMMARY_BECAUSE, Wording, summary_wording, wording_of
from partnerships.digests.planning.matches import MAX_MATCHES, MatchLine
from partnerships.digests.planning.notices import MAX_NOTICES, Act, NoticeLine
from partnerships.kit.waiting import MAX_LISTED, WaitingTask
from partnerships.outbox import message_ids, mime
from partnerships.outbox.content import unsubscribe_headers
from partnerships.outbox.message_ids import site_host
from partnerships.outbox.parts import Message
from partnerships.outbox.reply_addresses import CAN_REPLY, reply_address, reply_header

#: How many open tasks an email lists; the page "My work" lists all.
MAX_WAITING = 8
#: Asks for no automatic replies (RFC 3834), and announces plain text first and HTML last (RFC 2046).
_CONTENT_HEADERS = (
    "Auto-Submitted: auto-generated\r\n"
    "MIME-Version: 1.0\r\n"
    f'Content-Type: multipart/alternative; boundary="{mime.BOUNDARY}"\r\n'
    "\r\n"
    f"--{mime.BOUNDARY}\r\n"
)


class Addressee(NamedTuple):
    """The recipient of an email, with the values that the email and its links need."""

    person_id: int
    address: str
    name: str
    link_key: str
    is_stakeholder: bool


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The rendered news of one plan, or the rendered section of another subject.

    `html` has a button. `html_among` has a plain link, for an email with several blocks, where no link is the main one.
    """

    news: News | Section
    partnership_id: int | None
    authors: frozenset[int | None]
    html: mime.SlottedTemplate
    html_among: mime.SlottedTemplate
    text: mime.SlottedTemplate

    @property
    def is_empty(self) -> bool:
        """Return True if the block reports no change."""
        return self.news.count == 0

    @property
    def acts(self) -> frozenset[Act]:
        """Return the changes that the block reports; the email leaves out notices of the same changes."""
        return self.news.acts if isinstance(self.news, Section) else frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class DigestContent:
    """The text of one digest.

    * `because` are the reasons why the reader gets the digest.
    * `is_common`: many digests of the batch have the same reasons and frequency, so these sentences are stored once.
    * `can_reply`: the reader can reply, to a person or to our own mailbox.
    """

    blocks: Sequence[Block]
    matches: Sequence[MatchLine]
    lines: Sequence[NoticeLine]
    waiting: Sequence[WaitingTask]
    because: Sequence[str]
    how_often: str
    notice: str
    is_common: bool = False
    can_reply: bool = False


class SharedContent(NamedTuple):
    """The cache key of the shared parts of a digest: all values that their text depends on.

    * `match_count` and `notice_count` say how many matches and notices the digest lists.
    * `texts` are texts that many readers have in common, by slot.
    * `summary` is the wording of a digest that contains only notices.
    """

    blocks: tuple[Block, ...]
    match_count: int
    notice_count: int
    has_waiting: bool
    has_privacy_notice: bool
    texts: tuple[tuple[str, str], ...]
    summary: Wording | None
    can_reply: bool


@dataclass(frozen=True, slots=True)
class SharedParts:
    """The subject and the shared parts of digests about the same plans, between which are slots for personal texts."""

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
    """Return the frame around the blocks of every digest, with marks for its slots: as text and as HTML."""

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


@lru_cache(maxsize=1)
def static_headers() -> mime.Part:
    """Return the headers that all emails share, up to the first part."""
    sender = mime.header_line("From", settings.DEFAULT_FROM_EMAIL)
    reply = mime.header_line("Reply-To", settings.DIGEST_REPLY_TO) if settings.DIGEST_REPLY_TO else ""
    return mime.shared_part(sender + reply + _CONTENT_HEADERS)


def clear_caches() -> None:
    """Clear everything that was rendered, for tests that change a setting."""
    for cached in (frame, static_headers, shared_parts, page_prefix, unsubscribe_headers):
        cached.cache_clear()


def render_block(news: News, *, partnership_id: int | None, authors: frozenset[int | None], stakeholder: bool) -> Block:
    """Render the news of one plan as a part of an email.

    The link leads people with an account to the plan, and stakeholders to a page that needs only their signed link.
    """
    if stakeholder:
        link = f"{page_prefix('digests:view')}{mime.bare_slot('read')}/{news.plan_id}/"
    elif news.is_new:
        link = settings.SITE_ORIGIN + reverse("plans:detail", kwargs={"pk": news.plan_id})
    else:
        path = reverse("plans:compare", kwargs={"pk": news.plan_id})
        link = f"{settings.SITE_ORIGIN}{path}?from={news.from_number}&to={news.to_number}"
    context = {"news": news, "link": link}
    return Block(
        news=news,
        partnership_id=partnership_id,
        authors=authors,
        html=_fragment("_block", context, has_button=True),
        html_among=_fragment("_block", context, has_button=False),
        text=mime.cut_at_marks(render_to_string("emails/digests/_block.txt", context)),
    )


def _fragment(template: str, context: dict[str, Any], *, has_button: bool) -> mime.SlottedTemplate:
    """Render a part of an email's HTML, with styles inside each element because many email apps ignore style sheets."""
    html = inline_fragment(render_to_string(f"emails/digests/{template}.html", {**context, "has_button": has_button}))
    return mime.cut_at_marks(html if html.endswith("\n") else html + "\n")


def render_section(section: Section, *, stakeholder: bool) -> Block:
    """Render the changes of one subject as a part of an email.

    The link leads people with an account to the subject. For stakeholders, it leads to the page where they can answer
    if the changes ask exactly one question, and otherwise to the email in the browser.
    """
    link, action = f"{settings.SITE_ORIGIN}{section.path}", f"Open the {section.kind_in_words}"
    if stakeholder:
        link, action = f"{page_prefix('digests:view')}{mime.bare_slot('read')}/", "View in your browser"
        if len(section.asking) == 1:
            path = reverse("answers:by-link", kwargs={"token": "T", "plan": section.asking[0]})
            link = settings.SITE_ORIGIN + path.replace("/T/", f"/{mime.bare_slot('read')}/")
            action = "Answer the question"
    context: dict[str, Any] = {"section": section, "link": link, "action": action, "origin": settings.SITE_ORIGIN}
    return Block(
        news=section,
        partnership_id=section.partnership_id,
        authors=section.authors,
        html=_fragment("_changes", context, has_button=True),
        html_among=_fragment("_changes", context, has_button=False),
        text=mime.cut_at_marks(render_to_string("emails/digests/_changes.txt", context)),
    )


def list_id(blocks: Sequence[Block]) -> str:
    """Return the List-Id header (RFC 2919): one list for each partnership, and one of the site for everything else.

    A name in quotes may not contain quotes or backslashes; a name that is not ASCII is left out.
    """
    partnerships = {block.partnership_id for block in blocks}
    host = site_host()
    if len(partnerships) == 1 and None not in partnerships:
        title = mime.one_line(blocks[0].news.partnership).replace('"', "").replace("\\", "")
        phrase = f'"{title}" ' if title and title.isascii() else ""
        return f"List-Id: {phrase[:180]}<partnership-{partnerships.pop()}.digests.{host}>\r\n"
    return f"List-Id: <digests.{host}>\r\n"


@lru_cache(maxsize=8)
def page_prefix(name: str) -> str:
    """Return the address of a page that takes a token, without the token at its end."""
    path = reverse(name, kwargs={"token": "T"}).removesuffix("T/")
    return f"{settings.SITE_ORIGIN}{path}"


def links_are_current(tokens: Iterable[str], link_key: str) -> bool:
    """Return True if the links of an email with these tokens still work; a new link key makes them invalid."""
    return any(is_current(Purpose.STOP, token, link_key=link_key) for token in tokens)


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
    """Return a digest: the shared parts, with this reader's texts and links for their slots."""
    notice_lines, matches = content.lines, content.matches
    reader_texts = {"because": "; ".join(_reasons(content)), "how_often": content.how_often}
    entries, waiting = entries_of(notice_lines, content.waiting)
    is_summary = bool(notice_lines) and not content.blocks and not matches
    shared_content = shared_parts(
        SharedContent(
            blocks=tuple(content.blocks),
            match_count=len(matches),
            notice_count=len(notice_lines),
            has_waiting=bool(waiting),
            has_privacy_notice=bool(content.notice),
            texts=tuple(reader_texts.items()) if content.is_common else (),
            summary=summary_wording(notice_lines, now=now, zone=zone) if is_summary else None,
            can_reply=content.can_reply,
        )
    )

    stop, choose, read = make_all(
        (Purpose.STOP, Purpose.PREFERENCES, Purpose.READ),
        person_id=addressee.person_id,
        link_key=addressee.link_key,
        record_id=delivery_id,
        minute=minute_of(now),
    )
    values = {"head": own_headers(addressee, message_id, date), "stop": stop, "preferences": choose, "read": read}
    own_texts = {"name": addressee.name.split()[0]}
    if not content.is_common:
        own_texts |= reader_texts
    for slot, text in own_texts.items():
        values[f"{slot}_txt"], values[f"{slot}_html"] = _encoded(text)
    if content.notice:
        values["notice_txt"] = mime.quoted_printable(f"{content.notice}\n\n")
        values["notice_html"] = mime.quoted_printable(notice_as_html(content.notice))
    for part in ("txt", "html"):
        if waiting:
            values[f"waiting_{part}"] = mime.quoted_printable(_waiting(part, waiting))
        if matches:
            values[f"matches_{part}"] = mime.quoted_printable(_matches(part, matches))
        if notice_lines:
            lines = _lines(part, entries, len(notice_lines), has_button=is_summary)
            values[f"lines_{part}"] = mime.quoted_printable(lines)
    return Message(shared_content.subject, shared_content.parts, values, TOKENS)


def _reasons(content: DigestContent) -> Iterator[str]:
    """Yield the reasons why the reader gets this digest, to follow "You get this email because"."""
    yield from content.because
    if content.matches:
        yield "you asked for new matches of your organisation’s asks and offers"
    if content.lines:
        yield SUMMARY_BECAUSE


def own_headers(addressee: Addressee, message_id: str, date: str) -> str:
    """Return the headers that differ between emails, among them the site's own address for replies."""
    reply = ""
    if not settings.DIGEST_REPLY_TO and (email_id := message_ids.id_in(message_id)):
        reply = reply_header(reply_address(email_id, addressee.person_id, key=addressee.link_key))
    return f"{mime.to_line(addressee.name, addressee.address)}Message-ID: {message_id}\r\nDate: {date}\r\n{reply}"


@lru_cache(maxsize=256)
def _encoded(text: str) -> tuple[str, str]:
    """Return a text encoded for the text part, and for the HTML part."""
    return mime.quoted_printable(text), mime.quoted_printable(escape(text))


def _matches(part: str, matches: Sequence[MatchLine]) -> str:
    """Render the new matches for one part of an email, `txt` or `html`."""
    context = {
        "matches": matches,
        "shown": matches[:MAX_MATCHES],
        "more": max(len(matches) - MAX_MATCHES, 0),
        "origin": settings.SITE_ORIGIN,
    }
    return _list_of("_matches", part, context)


def _lines(part: str, entries: Sequence[Entry], count: int, *, has_button: bool) -> str:
    """Render the notices for one part of an email; `count` is the number of all notices, listed or not."""
    context = {
        "entries": entries,
        "more": max(count - MAX_NOTICES, 0),
        "origin": settings.SITE_ORIGIN,
        "has_button": has_button,
    }
    return _list_of("_lines", part, context)


def _waiting(part: str, waiting: Sequence[WaitingTask]) -> str:
    """Render the reader's open tasks for one part of an email.

    At most `MAX_LISTED` tasks are read, so if a reader has that many, the email can only say "more than".
    """
    more: int | str = max(len(waiting) - MAX_WAITING, 0)
    if len(waiting) >= MAX_LISTED:
        more = f"more than {MAX_LISTED - 1 - MAX_WAITING}"
    context = {"waiting": waiting[:MAX_WAITING], "more": more, "origin": settings.SITE_ORIGIN}
    return _list_of("_waiting", part, context)


def _list_of(template: str, part: str, context: dict[str, Any]) -> str:
    """Render a personal list for one part of an email, `txt` or `html`."""
    rendered: str = render_to_string(f"emails/digests/{template}.{part}", context)
    return rendered if part == "txt" else inline_fragment(rendered)


@lru_cache(maxsize=256)
def notice_as_html(notice: str) -> str:
    """Return the privacy notice as a paragraph, with the address at its end as a link."""
    text, _, address = notice.rpartition(" ")
    html = f'<p class="notice">{escape(text)} <a href="{escape(address)}">{escape(address)}</a></p>'
    return inline_fragment(html)
