"""Rendering digests: shared parts once, personal words filled in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from partnerships.digests.emails.changes import Section
from partnerships.digests.emails.entries import Entry, entries_of
from partnerships.digests.emails.links import Purpose, is_current, make_all, minute_of
from partnerships.digests.emails.news import News
from partnerships.digests.emails.wording import SUMMARY_BECAUSE, Wording, summary_wording, wording_of
from partnerships.digests.planning.matches import MAX_MATCHES, MatchLine
from partnerships.digests.planning.notices import MAX_NOTICES, Act, NoticeLine
from partnerships.kit.late import late
from partnerships.kit.waiting import MAX_LISTED, Waiting
from partnerships.outbox import message_ids, mime
from partnerships.outbox.content import unsubscribe_headers
from partnerships.outbox.message_ids import site_host
from partnerships.outbox.parts import Message
from partnerships.outbox.reply_addresses import CAN_REPLY, reply_address, reply_header

if TYPE_CHECKING:
    import css_inline
else:
    css_inline = late("css_inline")

#: How many waiting items an email lists; the site has the rest.
MAX_WAITING = 8
#: RFC 3834: no automatic replies. RFC 2046: plain text first, HTML last.
_HEADS = (
    "Auto-Submitted: auto-generated\r\n"
    "MIME-Version: 1.0\r\n"
    f'Content-Type: multipart/alternative; boundary="{mime.BOUNDARY}"\r\n'
    "\r\n"
    f"--{mime.BOUNDARY}\r\n"
)


class Addressee(NamedTuple):
    """Who an email is for."""

    person_id: int
    address: str
    name: str
    link_key: str
    is_stakeholder: bool


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The rendered news of one plan or subject.

    `html` has a button; `html_among` a plain link, because an email with several blocks has no main one.
    """

    news: News | Section
    partnership_id: int | None
    authors: frozenset[int | None]
    html: mime.Mould
    html_among: mime.Mould
    text: mime.Mould

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return self.news.count == 0

    @property
    def acts(self) -> frozenset[Act]:
        """What it says of a subject.

        Notices of the same acts are not listed again.
        """
        return self.news.acts if isinstance(self.news, Section) else frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class DigestContent:
    """What one digest says.

    `because` are the reasons why it comes. `is_common`: many in the batch have the same reasons and frequency, so those
    words are stored once. `can_reply`: a reply goes to a person, or could be used.
    """

    blocks: Sequence[Block]
    matches: Sequence[MatchLine]
    lines: Sequence[NoticeLine]
    waiting: Sequence[Waiting]
    because: Sequence[str]
    how_often: str
    notice: str
    is_common: bool = False
    can_reply: bool = False


@dataclass(frozen=True, slots=True)
class SharedParts:
    """Everything but personal words in digests about the same plans."""

    subject: str
    parts: tuple[mime.Part | str, ...]


def style() -> str:
    """The style sheet of all emails of this room."""
    return render_to_string("emails/digests/digest.css")


def inline(html: str) -> str:
    """An email's HTML with its styles written into the elements."""
    return css_inline.CSSInliner(keep_link_tags=False, load_remote_stylesheets=False).inline(html)


#: Personal words, encoded differently in the text and the HTML part.
_PERSONAL = ("name", "lead", "how_often", "matches", "lines", "waiting", "notice", "because")
#: Links: the name in the templates, the page, and the name of its token.
_TOKENS = (
    ("stop", "digests:stop", "stop"),
    ("preferences", "digests:preferences", "preferences"),
    ("view", "digests:view", "read"),
)
#: The slots of a digest that hold tokens.
TOKENS = tuple(token for _, _, token in _TOKENS)


@lru_cache(maxsize=1)
def frame() -> tuple[mime.Mould, mime.Mould]:
    """What surrounds the plans in every digest, as text and as HTML."""
    sides: list[mime.Mould] = []
    for side in ("txt", "html"):
        marks: dict[str, Any] = {name: mime.mark(f"{name}_{side}") for name in (*_PERSONAL, "heading", "can_reply")}
        marks |= {word: f"{page_prefix(page)}{mime.mark_bare(token)}/" for word, page, token in _TOKENS}
        marks |= {"blocks": mime.mark("blocks"), "css": style(), "site_name": settings.SITE_NAME}
        rendered: str = render_to_string(f"emails/digests/digest.{side}", marks)
        if side == "html":
            rendered = inline(rendered).rstrip("\n") + "\n"
        head, tail = (mime.TEXT_HEAD, mime.NEXT_PART) if side == "txt" else (mime.HTML_HEAD, mime.LAST_PART)
        sides.append(mime.cut(rendered, before=head, after=tail))
    return sides[0], sides[1]


@lru_cache(maxsize=1)
def static_headers() -> mime.Part:
    """The headers that all emails share, up to the first part."""
    sender = mime.header("From", settings.DEFAULT_FROM_EMAIL)
    reply = mime.header("Reply-To", settings.DIGEST_REPLY_TO) if settings.DIGEST_REPLY_TO else ""
    return mime.part_of(sender + reply + _HEADS)


def clear_caches() -> None:
    """Render everything again next time (for tests that change a setting)."""
    for cached in (frame, static_headers, shared_parts, page_prefix, unsubscribe_headers):
        cached.cache_clear()


def render_block(news: News, *, partnership_id: int | None, authors: frozenset[int | None], stakeholder: bool) -> Block:
    """The news of one plan as a part of emails.

    It links people with an account to the plan's page, stakeholders to a page of their own.
    """
    if stakeholder:
        link = f"{page_prefix('digests:view')}{mime.mark_bare('read')}/{news.plan_id}/"
    elif news.is_new:
        link = settings.SITE_ORIGIN + reverse("plans:detail", kwargs={"pk": news.plan_id})
    else:
        path = reverse("plans:compare", kwargs={"pk": news.plan_id})
        link = f"{settings.SITE_ORIGIN}{path}?from={news.from_number}&to={news.to_number}"
    words = {"news": news, "link": link}
    return Block(
        news=news,
        partnership_id=partnership_id,
        authors=authors,
        html=_fragment("_block", words, has_button=True),
        html_among=_fragment("_block", words, has_button=False),
        text=mime.cut(render_to_string("emails/digests/_block.txt", words)),
    )


def _fragment(template: str, words: dict[str, Any], *, has_button: bool) -> mime.Mould:
    """A part of an email's HTML, with its styles in the elements."""
    rendered = render_to_string(f"emails/digests/{template}.html", {**words, "has_button": has_button})
    html = css_inline.CSSInliner(load_remote_stylesheets=False).inline_fragment(rendered, style())
    return mime.cut(html if html.endswith("\n") else html + "\n")


def render_section(section: Section, *, stakeholder: bool) -> Block:
    """The changes of one subject as a part of emails.

    It links people with an account to the subject's page. Stakeholders: to where they can answer a question, or to the
    email in the browser.
    """
    link, action = f"{settings.SITE_ORIGIN}{section.path}", f"Open the {section.kind_in_words}"
    if stakeholder:
        link, action = f"{page_prefix('digests:view')}{mime.mark_bare('read')}/", "View in your browser"
        if len(section.asking) == 1:
            path = reverse("answers:by-link", kwargs={"token": "T", "plan": section.asking[0]})
            link = settings.SITE_ORIGIN + path.replace("/T/", f"/{mime.mark_bare('read')}/")
            action = "Answer the question"
    words: dict[str, Any] = {"section": section, "link": link, "action": action, "origin": settings.SITE_ORIGIN}
    return Block(
        news=section,
        partnership_id=section.partnership_id,
        authors=section.authors,
        html=_fragment("_changes", words, has_button=True),
        html_among=_fragment("_changes", words, has_button=False),
        text=mime.cut(render_to_string("emails/digests/_changes.txt", words)),
    )


def list_id(blocks: Sequence[Block]) -> str:
    """The List-Id header (RFC 2919): one list a partnership, else the site's."""
    partnerships = {block.partnership_id for block in blocks}
    host = site_host()
    if len(partnerships) == 1 and None not in partnerships:
        title = mime.one_line(blocks[0].news.partnership).replace('"', "").replace("\\", "")
        phrase = f'"{title}" ' if title and title.isascii() else ""
        return f"List-Id: {phrase[:180]}<partnership-{partnerships.pop()}.digests.{host}>\r\n"
    return f"List-Id: <digests.{host}>\r\n"


@lru_cache(maxsize=8)
def page_prefix(name: str) -> str:
    """The address of a page that takes a token, up to the token."""
    path = reverse(name, kwargs={"token": "T"}).removesuffix("T/")
    return f"{settings.SITE_ORIGIN}{path}"


def links_are_current(tokens: Iterable[str], link_key: str) -> bool:
    """Whether an email with these tokens has current links."""
    return any(is_current(Purpose.STOP, token, link_key=link_key) for token in tokens)


@lru_cache(maxsize=256)
def shared_parts(
    blocks: tuple[Block, ...],
    matches: int,
    has_waiting: bool,
    has_notice: bool,
    shared: tuple[tuple[str, str], ...],
    lines: int = 0,
    summary: Wording | None = None,
    can_reply: bool = False,
) -> SharedParts:
    """The parts of a digest about these plans that all readers share.

    `can_reply`: they say that one can reply. `matches` and `lines` say how many matches and notices there are; `shared`
    has words, by slot, that many readers have in common. `summary` is the wording of a digest with notices alone.
    """
    words = summary or wording_of([block.news for block in blocks], matches, lines)
    heading, lead = _encoded(words.heading), _encoded(words.lead)
    fixed = {"heading_txt": heading[0], "heading_html": heading[1], "lead_txt": lead[0], "lead_html": lead[1]}
    for slot, said in (*shared, ("can_reply", f" {CAN_REPLY}" if can_reply else "")):
        fixed[f"{slot}_txt"], fixed[f"{slot}_html"] = _encoded(said)
    for slot, is_wanted in (("matches", matches), ("lines", lines), ("waiting", has_waiting), ("notice", has_notice)):
        if not is_wanted:
            fixed |= {f"{slot}_txt": "", f"{slot}_html": ""}
    text, html = frame()
    text = mime.fill(text, "blocks", [block.text for block in blocks])
    html = mime.fill(html, "blocks", [block.html if len(blocks) == 1 else block.html_among for block in blocks])
    about = mime.part_of(mime.header("Subject", words.subject) + list_id(blocks))
    headers = ("head", *unsubscribe_headers(page_prefix("digests:stop")), about, static_headers())
    return SharedParts(words.subject, mime.fix((*headers, *text.parts, *html.parts), fixed))


def digest(
    to: Addressee, content: DigestContent, *, delivery_id: int, message_id: str, zone: str, date: str, now: dt.datetime
) -> Message:
    """A digest: changed plans, new matches, notices, and waiting items."""
    lines, matches, notice = content.lines, content.matches, content.notice
    own = {"because": "; ".join(_reasons(content)), "how_often": content.how_often}
    entries, waiting = entries_of(lines, content.waiting)
    summary = summary_wording(lines, now=now, zone=zone) if lines and not content.blocks and not matches else None
    shared = shared_parts(
        tuple(content.blocks),
        len(matches),
        bool(waiting),
        bool(notice),
        tuple(own.items()) if content.is_common else (),
        len(lines),
        summary,
        content.can_reply,
    )
    stop, choose, read = make_all(
        (Purpose.STOP, Purpose.PREFERENCES, Purpose.READ),
        person_id=to.person_id,
        link_key=to.link_key,
        record_id=delivery_id,
        minute=minute_of(now),
    )
    values = {"head": own_headers(to, message_id, date), "stop": stop, "preferences": choose, "read": read}
    for slot, words in (("name", to.name), *(() if content.is_common else own.items())):
        values[f"{slot}_txt"], values[f"{slot}_html"] = _encoded(words)
    if notice:
        values |= {"notice_txt": mime.encode(f"{notice}\n\n"), "notice_html": mime.encode(notice_as_html(notice))}
    for side in ("txt", "html"):
        if waiting:
            values[f"waiting_{side}"] = mime.encode(_waiting(side, waiting))
        if matches:
            values[f"matches_{side}"] = mime.encode(_matches(side, matches))
        if lines:
            values[f"lines_{side}"] = mime.encode(_lines(side, entries, len(lines), has_button=summary is not None))
    return Message(shared.subject, shared.parts, values, TOKENS)


def _reasons(content: DigestContent) -> Iterator[str]:
    """Why its reader gets this digest."""
    yield from content.because
    if content.matches:
        yield "you asked for new matches of your organisation’s asks and offers"
    if content.lines:
        yield SUMMARY_BECAUSE


def own_headers(to: Addressee, message_id: str, date: str) -> str:
    """The headers that belong to one email."""
    reply = ""
    if not settings.DIGEST_REPLY_TO and (number := message_ids.number_in(message_id)):
        reply = reply_header(reply_address(number, to.person_id, key=to.link_key))
    return f"{mime.to_header(to.name, to.address)}Message-ID: {message_id}\r\nDate: {date}\r\n{reply}"


@lru_cache(maxsize=256)
def _encoded(words: str) -> tuple[str, str]:
    """Words encoded for the text part and for the HTML part."""
    return mime.encode(words), mime.encode(escape(words))


def _matches(kind: str, matches: Sequence[MatchLine]) -> str:
    words = {
        "matches": matches,
        "shown": matches[:MAX_MATCHES],
        "more": max(len(matches) - MAX_MATCHES, 0),
        "origin": settings.SITE_ORIGIN,
    }
    rendered = render_to_string(f"emails/digests/_matches.{kind}", words)
    if kind == "txt":
        return rendered
    return css_inline.CSSInliner(load_remote_stylesheets=False).inline_fragment(rendered, style())


def _lines(kind: str, entries: Sequence[Entry], count: int, *, has_button: bool) -> str:
    words = {
        "entries": entries,
        "more": max(count - MAX_NOTICES, 0),
        "origin": settings.SITE_ORIGIN,
        "has_button": has_button,
    }
    rendered = render_to_string(f"emails/digests/_lines.{kind}", words)
    if kind == "txt":
        return rendered
    return css_inline.CSSInliner(load_remote_stylesheets=False).inline_fragment(rendered, style())


def _waiting(kind: str, waiting: Sequence[Waiting]) -> str:
    more: int | str = max(len(waiting) - MAX_WAITING, 0)
    if len(waiting) >= MAX_LISTED:
        more = f"more than {MAX_LISTED - 1 - MAX_WAITING}"
    words = {
        "waiting": waiting[:MAX_WAITING],
        "more": more,
        "origin": settings.SITE_ORIGIN,
    }
    rendered = render_to_string(f"emails/digests/_waiting.{kind}", words)
    if kind == "txt":
        return rendered
    return css_inline.CSSInliner(load_remote_stylesheets=False).inline_fragment(rendered, style())


@lru_cache(maxsize=256)
def notice_as_html(notice: str) -> str:
    """The notice as a paragraph, with the address at its end as a link."""
    words, _, address = notice.rpartition(" ")
    html = f'<p class="notice">{escape(words)} <a href="{escape(address)}">{escape(address)}</a></p>'
    return css_inline.CSSInliner(load_remote_stylesheets=False).inline_fragment(html, style())
