"""The letters: what is shared is rendered once and kept, what is personal is filled in; one function a letter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from partnerships.digests.emails.links import Purpose, is_current, make, make_all, minute_of
from partnerships.digests.emails.news import News
from partnerships.digests.models import Subscription
from partnerships.digests.planning.matches import MAX_MATCHES, MatchLine
from partnerships.kit.dates import long_date
from partnerships.kit.late import late
from partnerships.kit.text import shorten
from partnerships.kit.waiting import Waiting
from partnerships.outbox import mime
from partnerships.outbox.message_ids import site_host
from partnerships.outbox.parts import Message
from partnerships.people.models import User

if TYPE_CHECKING:
    import css_inline
else:
    css_inline = late("css_inline")

#: A subject stays readable in a list of mails.
_SUBJECT = 140
#: So many things that wait are listed; the site has the rest.
MAX_WAITING = 8
_LEAD = "this is what changed in the plans you follow since you were last told."
_LEAD_OF_MATCHES = "this is what newly matches what your organisation asks or offers."
#: RFC 3834: nobody's holiday answer should come back. RFC 2046: the same letter twice, the better one last.
_HEADS = (
    "Auto-Submitted: auto-generated\r\n"
    "MIME-Version: 1.0\r\n"
    f'Content-Type: multipart/alternative; boundary="{mime.BOUNDARY}"\r\n'
    "\r\n"
    f"--{mime.BOUNDARY}\r\n"
)


class Addressee(NamedTuple):
    """Who a letter is for."""

    person_id: int
    address: str
    name: str
    link_key: str
    is_stakeholder: bool


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The news of one plan, ready to be put into letters; its only personal word is where a stakeholder reads it."""

    news: News
    partnership_id: int | None
    authors: frozenset[int | None]
    html: mime.Mould
    text: mime.Mould

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return self.news.count == 0


@dataclass(frozen=True, slots=True)
class Sheet:
    """What all digests with the same plans in them share: the whole letter but its personal words."""

    subject: str
    parts: tuple[mime.Part | str, ...]


def _style() -> str:
    return render_to_string("emails/digests/letter.css")


def inline(html: str) -> str:
    """A whole letter with its style sheet written into the elements, once for all who get it."""
    return css_inline.CSSInliner(keep_link_tags=False, load_remote_stylesheets=False).inline(html)


#: What is personal in a digest, and different in its two parts; beside it stand the tokens of links, and what begins
#: the headers ("head").
_PERSONAL = ("name", "lead", "how_often", "matches", "waiting", "notice", "because")
#: The page that each token opens: its word in the templates, the page, and the token's own name.
_TOKENS = (
    ("stop", "digests:stop", "stop"),
    ("preferences", "digests:preferences", "preferences"),
    ("view", "digests:view", "read"),
)
#: The slots of a digest that hold a token.
TOKENS = tuple(token for _, _, token in _TOKENS)


@lru_cache(maxsize=1)
def frame() -> tuple[mime.Mould, mime.Mould]:
    """What every digest has around its plans: the text part's mould and the HTML part's."""
    sides: list[mime.Mould] = []
    for side in ("txt", "html"):
        marks: dict[str, Any] = {name: mime.mark(f"{name}_{side}") for name in (*_PERSONAL, "heading")}
        marks |= {word: f"{_base(page)}{mime.mark_bare(token)}/" for word, page, token in _TOKENS}
        marks |= {"blocks": mime.mark("blocks"), "css": _style(), "site_name": settings.SITE_NAME}
        rendered: str = render_to_string(f"emails/digests/digest.{side}", marks)
        if side == "html":
            rendered = inline(rendered).rstrip("\n") + "\n"
        head, tail = (mime.TEXT_HEAD, mime.NEXT_PART) if side == "txt" else (mime.HTML_HEAD, mime.LAST_PART)
        sides.append(mime.cut(rendered, before=head, after=tail))
    return sides[0], sides[1]


@lru_cache(maxsize=1)
def static_headers() -> mime.Part:
    """The headers that all letters share, up to the first part."""
    sender = mime.header("From", settings.DEFAULT_FROM_EMAIL)
    reply = mime.header("Reply-To", settings.DIGEST_REPLY_TO) if settings.DIGEST_REPLY_TO else ""
    return mime.part_of(sender + reply + _HEADS)


def forget() -> None:
    """Render everything again next time (a test changed a setting)."""
    for kept in (frame, static_headers, sheet, _base):
        kept.cache_clear()


def block(news: News, *, partnership_id: int | None, authors: frozenset[int | None], stakeholder: bool) -> Block:
    """The news of one plan as parts of letters. People with an account compare on the plan's own page, stakeholders
    by link."""
    if stakeholder:
        link = f"{_base('digests:view')}{mime.mark_bare('read')}/{news.plan_id}/"
    elif news.is_new:
        link = settings.SITE_ORIGIN + reverse("plans:detail", kwargs={"pk": news.plan_id})
    else:
        path = reverse("plans:compare", kwargs={"pk": news.plan_id})
        link = f"{settings.SITE_ORIGIN}{path}?from={news.from_number}&to={news.to_number}"
    words = {"news": news, "link": link}
    html = css_inline.CSSInliner(load_remote_stylesheets=False).inline_fragment(
        render_to_string("emails/digests/_block.html", words), _style()
    )
    return Block(
        news=news,
        partnership_id=partnership_id,
        authors=authors,
        html=mime.cut(html if html.endswith("\n") else html + "\n"),
        text=mime.cut(render_to_string("emails/digests/_block.txt", words)),
    )


def subject_of(news: Sequence[News]) -> str:
    """The count and the plan: "3 changes in Harbour Quarter", "5 changes in 2 plans and 1 new plan: Harbour Quarter,
    …"."""
    if not news:
        return ""
    if len(news) == 1:
        only = news[0]
        return shorten(f"New plan: {only.title}" if only.is_new else f"{only.count_in_words} in {only.title}", _SUBJECT)
    return shorten(f"{heading_of(news)}: {', '.join(one.title for one in news)}", _SUBJECT)


def heading_of(news: Sequence[News]) -> str:
    """The count in words: "5 changes in 2 plans and 1 new plan"."""
    changed = [one for one in news if not one.is_new]
    fresh = len(news) - len(changed)
    count = sum(one.count for one in changed)
    said = []
    if changed:
        plans = f" in {len(changed)} plans" if len(changed) > 1 else f" in {changed[0].title}"
        said.append(f"{count:,} change{'' if count == 1 else 's'}{plans}")
    if fresh:
        said.append(f"{fresh} new plan{'' if fresh == 1 else 's'}")
    return " and ".join(said)


def list_id(blocks: Sequence[Block]) -> str:
    """The list of RFC 2919: the partnership's where all plans belong to one, else the instance's."""
    partnerships = {block.partnership_id for block in blocks}
    host = site_host()
    if len(partnerships) == 1 and None not in partnerships:
        title = mime.one_line(blocks[0].news.partnership).replace('"', "").replace("\\", "")
        phrase = f'"{title}" ' if title and title.isascii() else ""
        return f"List-Id: {phrase[:180]}<partnership-{partnerships.pop()}.digests.{host}>\r\n"
    return f"List-Id: <digests.{host}>\r\n"


@lru_cache(maxsize=8)
def _base(name: str) -> str:
    path = reverse(name, kwargs={"token": "T"}).removesuffix("T/")
    return f"{settings.SITE_ORIGIN}{path}"


def _how_to_stop() -> tuple[mime.Part | str, ...]:
    """How to stop, for mail programs: RFC 2369 by https and by mail, RFC 8058 by one POST."""
    return (
        mime.part_of(f"List-Unsubscribe: <{_base('digests:stop')}"),
        "stop",
        mime.part_of(f"/>,\r\n <mailto:{settings.EMAIL_MAILBOX}?subject=stop%20"),
        "stop",
        mime.part_of(">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"),
    )


def links_are_current(words: Iterable[str], link_key: str) -> bool:
    """Whether the links in a letter with these words of its own are still good: nobody has renewed its reader's."""
    return any(is_current(Purpose.STOP, said, link_key=link_key) for said in words)


@lru_cache(maxsize=256)
def sheet(
    blocks: tuple[Block, ...], matches: int, has_waiting: bool, has_notice: bool, shared: tuple[tuple[str, str], ...]
) -> Sheet:
    """Everything about these plans, and so many matches, that does not depend on who reads it, joined once; `shared`
    are words by their slot that many of the readers share."""
    news = [block.news for block in blocks]
    subject, words = subject_of(news), heading_of(news)
    if matches:
        subject, words = shorten(_with_matches(subject, matches), _SUBJECT), _with_matches(words, matches)
    heading, lead = _both(words), _both(_LEAD if blocks else _LEAD_OF_MATCHES)
    fixed = {"heading_txt": heading[0], "heading_html": heading[1], "lead_txt": lead[0], "lead_html": lead[1]}
    for slot, said in shared:
        fixed[f"{slot}_txt"], fixed[f"{slot}_html"] = _both(said)
    for slot, wanted in (("matches", matches), ("waiting", has_waiting), ("notice", has_notice)):
        if not wanted:
            fixed |= {f"{slot}_txt": "", f"{slot}_html": ""}
    text, html = frame()
    text = mime.fill(text, "blocks", [block.text for block in blocks])
    html = mime.fill(html, "blocks", [block.html for block in blocks])
    about = mime.part_of(mime.header("Subject", subject) + list_id(blocks))
    headers = ("head", *_how_to_stop(), about, static_headers())
    return Sheet(subject, mime.fix((*headers, *text.parts, *html.parts), fixed))


def digest(
    to: Addressee,
    blocks: Sequence[Block],
    *,
    delivery_id: int,
    message_id: str,
    because: Sequence[str],
    how_often: str,
    waiting: Sequence[Waiting],
    matches: Sequence[MatchLine],
    notice: str,
    date: str,
    now: dt.datetime,
    is_common: bool = False,
) -> Message:
    """What changed in the plans that a person follows, what newly matches, and what waits for them.

    `is_common` says that many others get the letter for the same reason and as often: those words are then kept once.
    """
    if matches:
        because = [*because, "your organisation asks and offers, and you want to hear of matches"]
    own = {"because": "; ".join(because), "how_often": how_often}
    shared = sheet(tuple(blocks), len(matches), bool(waiting), bool(notice), tuple(own.items()) if is_common else ())
    stop, choose, read = make_all(
        (Purpose.STOP, Purpose.PREFERENCES, Purpose.READ),
        person_id=to.person_id,
        link_key=to.link_key,
        number=delivery_id,
        minute=minute_of(now),
    )
    values = {"head": _head(to, message_id, date), "stop": stop, "preferences": choose, "read": read}
    for slot, said in (("name", to.name), *(() if is_common else own.items())):
        values[f"{slot}_txt"], values[f"{slot}_html"] = _both(said)
    if notice:
        values |= {"notice_txt": mime.encode(f"{notice}\n\n"), "notice_html": mime.encode(_notice_as_html(notice))}
    for side in ("txt", "html"):
        if waiting:
            values[f"waiting_{side}"] = mime.encode(_waiting(side, waiting))
        if matches:
            values[f"matches_{side}"] = mime.encode(_matches(side, matches))
    return Message(shared.subject, shared.parts, values, TOKENS)


def _head(to: Addressee, message_id: str, date: str) -> str:
    """The headers that are one letter's own."""
    return f"{mime.to_header(to.name, to.address)}Message-ID: {message_id}\r\nDate: {date}\r\n"


@lru_cache(maxsize=256)
def _both(words: str) -> tuple[str, str]:
    """Words as the text part and as the HTML part have them, encoded: reasons and rhythms are many readers', and a
    name, which is one's own, takes a microsecond."""
    return mime.encode(words), mime.encode(escape(words))


def _with_matches(words: str, count: int) -> str:
    said = f"{count} new match{'' if count == 1 else 'es'}"
    return f"{words} and {said}" if words else said


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
    return css_inline.CSSInliner(load_remote_stylesheets=False).inline_fragment(rendered, _style())


def _waiting(kind: str, waiting: Sequence[Waiting]) -> str:
    words = {
        "waiting": waiting[:MAX_WAITING],
        "more": max(len(waiting) - MAX_WAITING, 0),
        "origin": settings.SITE_ORIGIN,
    }
    rendered = render_to_string(f"emails/digests/_waiting.{kind}", words)
    if kind == "txt":
        return rendered
    return css_inline.CSSInliner(load_remote_stylesheets=False).inline_fragment(rendered, _style())


@lru_cache(maxsize=256)
def _notice_as_html(notice: str) -> str:
    """The same words as a paragraph, the address at their end as a link."""
    words, _, address = notice.rpartition(" ")
    html = f'<p class="notice">{escape(words)} <a href="{escape(address)}">{escape(address)}</a></p>'
    return css_inline.CSSInliner(load_remote_stylesheets=False).inline_fragment(html, _style())


def privacy_notice(subscription: Subscription | None) -> str:
    """Who holds the address, why, since when and from whom (UK GDPR Article 14), for somebody who did not give it
    themselves."""
    if subscription is None or subscription.added_for is None:
        return ""
    by = subscription.added_by.display_name if subscription.added_by else "a colleague"
    given = f"{by} of {subscription.added_for.name} gave it to {settings.SITE_NAME}"
    if subscription.replaces_id:
        given = f"it was given to {settings.SITE_NAME} in place of an earlier one"
    return (
        f"Why we have your address: {given} on "
        f"{long_date(subscription.asked_at.date())} so that you can be told of changes in shared plans. "
        "We keep it while you receive digests and for 24 months after; it is used for nothing else. "
        "You may see, correct or erase it, "
        f"object, or complain to the Information Commissioner. "
        f"More: {settings.SITE_ORIGIN}{reverse('people:privacy')}"
    )


def confirmation(to: Addressee, subscription: Subscription, *, message_id: str, date: str, now: dt.datetime) -> Message:
    """Ask somebody whether they want what a partner, or they themselves, asked for."""
    token = make(
        Purpose.CONFIRM, person_id=to.person_id, link_key=to.link_key, number=subscription.pk, minute=minute_of(now)
    )
    if subscription.replaces_id:
        asked = "This address was given to us in place of an earlier one, to receive"
    elif subscription.added_for is None:
        asked = "You, or somebody who typed your address, asked us to send you"
    else:
        asker = subscription.added_by.display_name if subscription.added_by else "Somebody"
        asked = f"{asker} of {subscription.added_for.name} would like you to receive"
    words = {
        "title": str(subscription.target),
        "name": to.name,
        "asked": asked,
        "confirm": _token_link("digests:confirm", "confirm"),
        "why": subscription.why,
        "notice": privacy_notice(subscription),
        "site_name": settings.SITE_NAME,
    }
    return _single(to, "confirmation", words, {"confirm": token}, message_id=message_id, date=date)


def links(
    to: Addressee, *, delivery_id: int, last_digest: int | None, message_id: str, date: str, now: dt.datetime
) -> Message:
    """New links for somebody whose old ones have expired: to choose, to stop, and to read their last digest."""

    def token(purpose: Purpose, number: int) -> str:
        return make(purpose, person_id=to.person_id, link_key=to.link_key, number=number, minute=minute_of(now))

    words = {
        "name": to.name,
        "preferences": _token_link("digests:preferences", "preferences"),
        "view": _token_link("digests:view", "read") if last_digest else "",
        "stop": _token_link("digests:stop", "stop"),
        "site_name": settings.SITE_NAME,
    }
    tokens = {
        "preferences": token(Purpose.PREFERENCES, delivery_id),
        "read": token(Purpose.READ, last_digest or 0),
        "stop": token(Purpose.STOP, delivery_id),
    }
    return _single(to, "links", words, tokens, message_id=message_id, date=date)


def _token_link(page: str, slot: str) -> str:
    """The address of a page, with a mark where its token goes."""
    return f"{_base(page)}{mime.mark_bare(slot)}/"


def _single(
    to: Addressee, template: str, words: dict[str, Any], tokens: dict[str, str], *, message_id: str, date: str
) -> Message:
    """An email of which only the first headers are shared; `notice` is words with an address at their end."""
    subject = shorten(mime.one_line(render_to_string(f"emails/digests/{template}.subject.txt", words)), _SUBJECT)
    words = words | {"heading": subject, "css": _style()}
    head = _head(to, message_id, date) + mime.header("Subject", subject)
    text = render_to_string(f"emails/digests/{template}.txt", words).strip() + "\n"
    if words.get("notice"):
        words["notice"] = _notice_as_html(words["notice"])
    html = inline(render_to_string(f"emails/digests/{template}.html", words)).strip() + "\n"
    moulds = (
        mime.cut(text, before=mime.TEXT_HEAD, after=mime.NEXT_PART),
        mime.cut(html, before=mime.HTML_HEAD, after=mime.LAST_PART),
    )
    own = [part for mould in moulds for part in mould.parts]
    names = [part if isinstance(part, str) else f"own_{place}" for place, part in enumerate(own)]
    values = {name: part.body for name, part in zip(names, own, strict=True) if isinstance(part, mime.Part)}
    return Message(subject, ("head", static_headers(), *names), {"head": head, **values, **tokens}, tuple(tokens))


def addressee(person: User, link_key: str) -> Addressee:
    """A person as letters know them."""
    return Addressee(person.pk, person.email, person.display_name, link_key, person.is_stakeholder)
