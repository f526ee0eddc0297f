"""Writes confirmation emails, emails with new links, and emails about successions."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from partnerships.digests.emails.headers import Addressee, list_id, own_headers, static_headers
from partnerships.digests.emails.links import Purpose, make, minute_of, page_prefix
from partnerships.digests.emails.rendering import notice_as_html
from partnerships.digests.emails.styling import inline, style
from partnerships.digests.emails.wording import MAX_SUBJECT, privacy_notice
from partnerships.digests.models import Subscription
from partnerships.digests.models.targets import title_of
from partnerships.digests.queries.successions import Moved
from partnerships.kit.text import shorten
from partnerships.organisations.lineage import effective_succession
from partnerships.organisations.presenting import order_title, title_in_full, vesting_day_in_words
from partnerships.outbox import mime
from partnerships.outbox.content import render_subject, unsubscribe_headers
from partnerships.outbox.parts import Message


def confirmation(
    addressee: Addressee, subscription: Subscription, *, message_id: str, date: str, now: dt.datetime
) -> Message:
    """Return the email that asks a person whether they want these digests."""
    token = make(
        Purpose.CONFIRM,
        person_id=addressee.person_id,
        link_key=addressee.link_key,
        record_id=subscription.pk,
        minute=minute_of(now),
    )
    context = {
        "title": title_of(subscription.followed_item),
        "name": addressee.first_name,
        "is_replacement": subscription.replaces_id is not None,
        "organisation": subscription.added_for.name if subscription.added_for else "",
        "asker": subscription.added_by.display_name if subscription.added_by else "A colleague",
        "confirm": _token_link("digests:confirm", "confirm"),
        "why": subscription.why,
        "notice": privacy_notice(subscription),
        "site_name": settings.SITE_NAME,
    }
    return _single(addressee, "confirmation", context, {"confirm": token}, message_id=message_id, date=date)


def links(
    addressee: Addressee, *, delivery_id: int, last_digest: int | None, message_id: str, date: str, now: dt.datetime
) -> Message:
    """Return the email with new links to change the frequency, to stop, and to read the last digest again.

    `last_digest` is the id of that digest. Without it, the email has no link to it.
    """

    def make_token(purpose: Purpose, record_id: int) -> str:
        return make(
            purpose,
            person_id=addressee.person_id,
            link_key=addressee.link_key,
            record_id=record_id,
            minute=minute_of(now),
        )

    context = {
        "name": addressee.first_name,
        "preferences": _token_link("digests:preferences", "preferences"),
        "view": _token_link("digests:view", "read") if last_digest else "",
        "stop": _token_link("digests:stop", "stop"),
        "site_name": settings.SITE_NAME,
    }
    tokens = {
        "preferences": make_token(Purpose.PREFERENCES, delivery_id),
        "read": make_token(Purpose.READ, last_digest or 0),
        "stop": make_token(Purpose.STOP, delivery_id),
    }
    return _single(addressee, "links", context, tokens, message_id=message_id, date=date)


def succession(
    addressee: Addressee,
    moved: Moved,
    *,
    is_later: bool,
    delivery_id: int,
    notice: str,
    message_id: str,
    date: str,
    now: dt.datetime,
) -> Message:
    """Return the email about what successions changed in the records that the reader follows.

    `is_later` is for the second email, about the records that had no new organisation in the first. The successions in
    `moved` must be fetched with their predecessors and successors.
    """

    def make_token(purpose: Purpose) -> str:
        return make(
            purpose,
            person_id=addressee.person_id,
            link_key=addressee.link_key,
            record_id=delivery_id,
            minute=minute_of(now),
        )

    context = {
        "name": addressee.first_name,
        "title": order_title(moved.about),
        "titles": [title_in_full(name) for name in moved.about],
        "day": vesting_day_in_words(moved.about[0]),
        "is_later": is_later,
        "passed": sorted(moved.passed.items()),
        "waiting": moved.waiting,
        "is_undoing": effective_succession(moved.about[0]).undoes is not None,
        "preferences": _token_link("digests:preferences", "preferences"),
        "stop": _token_link("digests:stop", "stop"),
        "notice": notice,
        "site_name": settings.SITE_NAME,
    }
    tokens = {"preferences": make_token(Purpose.PREFERENCES), "stop": make_token(Purpose.STOP)}
    return _single(addressee, "succession", context, tokens, message_id=message_id, date=date, is_bulk=True)


def _token_link(page: str, slot: str) -> str:
    """Return the address of a page, with a mark where the token is filled in."""
    return f"{page_prefix(page)}{mime.bare_slot(slot)}/"


def _single(
    addressee: Addressee,
    template: str,
    content: dict[str, Any],
    tokens: dict[str, str],
    *,
    message_id: str,
    date: str,
    is_bulk: bool = False,
) -> Message:
    """Return an email that shares no part of its text with other emails.

    `content` is the context of the templates. Set `is_bulk` if many people get the email without asking for it. Its
    headers then let email apps offer to stop such emails, with the token `stop`.
    """
    subject = shorten(mime.one_line(render_subject(f"digests/{template}", content)), MAX_SUBJECT)
    context = content | {"heading": subject, "css": style()}
    text = render_to_string(f"emails/digests/{template}.txt", context).strip() + "\n"
    if context.get("notice"):
        context["notice"] = notice_as_html(context["notice"])
    html = inline(render_to_string(f"emails/digests/{template}.html", context)).strip() + "\n"

    # The text between the slots for tokens fills further slots, `own_0`, `own_1` and so on.
    parts = (
        *mime.cut_at_marks(text, before=mime.TEXT_HEAD, after=mime.NEXT_PART).parts,
        *mime.cut_at_marks(html, before=mime.HTML_HEAD, after=mime.LAST_PART).parts,
    )
    slots = [part if isinstance(part, str) else f"own_{index}" for index, part in enumerate(parts)]
    own_texts = {slot: part.body for slot, part in zip(slots, parts, strict=True) if isinstance(part, mime.Part)}

    head = own_headers(addressee, message_id, date) + mime.header_line("Subject", subject)
    bulk_headers: tuple[mime.Part | str, ...] = ()
    if is_bulk:
        bulk_headers = (*unsubscribe_headers(page_prefix("digests:stop")), mime.shared_part(list_id(())))
    layout = ("head", *bulk_headers, static_headers(), *slots)
    return Message(subject, layout, {"head": head, **own_texts, **tokens}, tuple(tokens))
