"""Renders the news of one plan, or the changes of one other subject, as a block of a digest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from partnerships.digests.emails.changes import Section
from partnerships.digests.emails.links import page_prefix
from partnerships.digests.emails.news import News
from partnerships.digests.emails.styling import inline_fragment
from partnerships.digests.planning.notices import Act
from partnerships.outbox import mime


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
