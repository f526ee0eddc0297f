"""Template tags for every page, such as dates, statuses, tabs and differences."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from django import template
from django.conf import settings
from django.forms import BaseForm
from django.template.base import NodeList
from django.template.context import Context
from django.template.defaultfilters import stringfilter
from django.template.loader import render_to_string
from django.template.loader_tags import BLOCK_CONTEXT_KEY, BlockNode
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from partnerships.kit import dates
from partnerships.kit.addresses import page_address
from partnerships.kit.forms import error_words
from partnerships.kit.html import escaped
from partnerships.kit.prose import to_html
from partnerships.kit.text import listed, masked_address, pounds, shorten

register = template.Library()

# Both halves are drawn on a grid of 48. The ask is a line, the offer is filled, and the match is both together. The
# line also has attributes, because in PDFs a drawing has no stylesheet.
_ASK = '<path class="cg-half__ask" fill="none" stroke="currentColor" stroke-width="4" d="M22 6a18 18 0 0 0 0 36z"/>'
_OFFER = '<path class="cg-half__offer" d="M26 6a18 18 0 0 1 0 36z"/>'
_HALVES = {"ask": _ASK, "offer": _OFFER, "match": _ASK + _OFFER}
_DIRECTION_WORDS = {"ask": "Ask", "offer": "Offer", "match": "Match"}


def _as_day(value: dt.date | dt.datetime) -> dt.date:
    """Return the calendar day. The day of a moment is the one in the site's time zone."""
    if isinstance(value, dt.datetime):
        return timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    return value


@register.simple_tag
def documentation(page: str = "") -> str:
    """Return the address of a page of the documentation, such as `plans/#owners`.

    Returns "" if the documentation was not built.
    """
    return f"/docs/{page}" if settings.WHITENOISE_ROOT else ""


@register.filter
def masked(address: str) -> str:
    """Return a masked email address, such as `b...@example.org`."""
    return masked_address(address)


@register.filter
def long_date(value: dt.date | dt.datetime | None) -> str:
    """Return a day such as `12 November 2026`, or "" for None."""
    return dates.long_date(_as_day(value)) if value else ""


@register.filter
def partial_date(value: str) -> str:
    """Return a partial date such as `2027`, `April 2027` or `11 April 2027`, or "" for None."""
    return dates.PartialDate.parse(value).words if value else ""


@register.filter
def long_time(value: dt.datetime | None) -> str:
    """Return a moment such as `12 November 2026, 09:14` in the site's time zone, or "" for None."""
    if not value:
        return ""
    return dates.long_time(timezone.localtime(value) if timezone.is_aware(value) else value)


register.filter(pounds)
register.filter(stringfilter(shorten))
register.filter("prose", to_html)


@register.filter
def age(value: dt.date | dt.datetime | None) -> str:
    """Return an age such as `today`, `1 day` or `23 days`, or "" for None."""
    return dates.age_in_words(_as_day(value), timezone.localdate()) if value else ""


@register.filter
def lasting(value: dt.date | dt.datetime | None) -> str:
    """Return a duration until now, such as `since today` or `for 23 days`, or "" for None."""
    age_in_words = age(value)
    if age_in_words == "today":
        return "since today"
    return f"for {age_in_words}" if age_in_words else ""


@register.filter
def overdue(value: dt.date | dt.datetime | None) -> str:
    """Return how late something is, such as `overdue by 3 days`, or "" for None and if it is not overdue."""
    return dates.overdue_in_words(_as_day(value), timezone.localdate()) if value else ""


@register.filter
def due(value: dt.date | dt.datetime | None) -> str:
    """Return when something is due, such as `due in 3 days`, `due today` or `12 days overdue`, or "" for None."""
    if not value:
        return ""
    days = (_as_day(value) - timezone.localdate()).days
    if days == 0:
        return "due today"
    words = f"{abs(days)} day" if abs(days) == 1 else f"{abs(days)} days"
    return f"due in {words}" if days > 0 else f"{words} overdue"


def when_due(day: dt.date | None, *, is_open: bool) -> str:
    """Return a day and, if `is_open`, how far away it is, such as `12 November 2026, due in 3 days`.

    Returns "" for None.
    """
    return f"{long_date(day)}, {due(day)}" if day is not None and is_open else long_date(day)


_BROWSERS = (("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "a Mac"),
    ("Linux", "Linux"),
)


@register.filter
def browser(user_agent: str) -> str:
    """Return a user agent in words, such as `Firefox on Windows`, or `Unknown browser`."""
    name = next((words for mark, words in _BROWSERS if mark in user_agent), "")
    system = next((words for mark, words in _SYSTEMS if mark in user_agent), "")
    return f"{name} on {system}" if name and system else name or "Unknown browser"


@register.filter
def a_role(label: str) -> str:
    """Return a role as it follows the word "as": `a lead`, `an editor`.

    `chair` has no article, because a partnership has only one.
    """
    role = label.lower()
    if role == "chair":
        return role
    return f"an {role}" if role[:1] in "aeiou" else f"a {role}"


@register.filter
def and_list(items: Iterable[object] | None, attribute: str = "") -> str:
    """Return the items in a sentence: `A, B and C`.

    `people|and_list:"display_name"` shows this attribute of each item.
    """
    return listed(str(attrgetter(attribute)(item) if attribute else item) for item in items or ())


def _class_name(code: object) -> str:
    """Return a code as part of a class name: `at_risk` becomes `at-risk`."""
    return str(code).lower().replace("_", "-").replace(" ", "-")


@register.simple_tag
def status_tag(words: object, code: object = "") -> SafeString:
    """Return a status tag. The stylesheet has a colour for each code."""
    code_class = f" cg-tag--{_class_name(code)}" if code else ""
    # No template is used, because a list has a tag in each row (partnerships.kit.html).
    return SafeString(f'<strong class="govuk-tag cg-tag{escaped(code_class)}">{escaped(words)}</strong>')


@register.simple_tag
def half_disc(kind: object, size: str = "") -> SafeString:
    """Return the mark of an ask, offer or match. It is decorative, so the page must also show the word."""
    direction_code = _class_name(kind)
    return format_html(
        '<svg class="cg-half cg-half--{}{}" viewBox="0 0 48 48" aria-hidden="true" focusable="false">{}</svg>',
        direction_code,
        f" cg-half--{size}" if size else "",
        mark_safe(_HALVES.get(direction_code, "")),  # noqa: S308 - one of the constants above
    )


@register.simple_tag
def direction(kind: object, words: str = "") -> SafeString:
    """Return the mark of an ask, offer or match, and its word."""
    direction_code = _class_name(kind)
    return format_html(
        '<span class="cg-direction cg-direction--{}">{}<span>{}</span></span>',
        direction_code,
        half_disc(kind),
        words or _DIRECTION_WORDS.get(direction_code, ""),
    )


@register.simple_tag
def count_tile(number: object, words: str, href: str = "", one: str = "") -> SafeString:
    """Return a number with its words, as an item of a `cg-counts` list.

    The tile is a link if it has an address. `one` are the words for the number 1, if different.
    """
    if one and number == 1:
        words = one
    tile = format_html(
        '<span class="cg-counts__number">{}</span> <span class="cg-counts__words">{}</span>',
        number,
        words,
    )
    if href:
        tile = format_html('<a class="cg-counts__link" href="{}">{}</a>', href, tile)
    return format_html('<li class="cg-counts__item">{}</li>', tile)


@register.simple_tag
def organisation_chip(name: object, kind: object = "", href: str = "") -> SafeString:
    """Return an organisation's name with the shape of its kind."""
    name_or_link = format_html('<a class="govuk-link" href="{}">{}</a>', href, name) if href else name
    return format_html(
        '<span class="cg-chip cg-chip--{}"><span class="cg-chip__shape" aria-hidden="true"></span>{}</span>',
        _class_name(kind) or "organisation",
        name_or_link,
    )


@register.simple_tag
def person_chip(name: object, role: object = "", href: str = "") -> SafeString:
    """Return a person's name, with the person's role if given."""
    name_or_link = format_html('<a class="govuk-link" href="{}">{}</a>', href, name) if href else name
    role_html = format_html(' <span class="cg-chip__role">{}</span>', role) if role else ""
    return format_html(
        '<span class="cg-chip cg-chip--person"><span class="cg-chip__shape" aria-hidden="true"></span>{}{}</span>',
        name_or_link,
        role_html,
    )


@register.simple_block_tag
def tabs(content: str, label: str) -> SafeString:
    """Return the sub-navigation around `tab`s. The label is for screen readers."""
    return format_html(
        '<nav class="moj-sub-navigation cg-no-print" aria-label="{}">'
        '<ul class="moj-sub-navigation__list">{}</ul></nav>',
        label,
        content,
    )


@register.simple_tag(takes_context=True)
def tab(context: Context, words: str, view: str, *ids: int, also: str = "") -> SafeString:
    """Return a tab that links to the page of a view, such as `{% tab "Read" "plans:detail" plan.pk %}`.

    The tab is current on its own page. `also` has names of views, as `room:name`, whose pages are below the tab's page.
    """
    href = page_address(view, *ids)
    request = context.get("request")
    match = getattr(request, "resolver_match", None)
    current_attribute = ""
    if request is not None and request.path == href:
        current_attribute = mark_safe(' aria-current="page"')
    elif match is not None and match.view_name in also.split():
        current_attribute = mark_safe(' aria-current="true"')
    return format_html(
        '<li class="moj-sub-navigation__item"><a class="moj-sub-navigation__link" href="{}"{}>{}</a></li>',
        href,
        current_attribute,
        words,
    )


@register.simple_tag(takes_context=True)
def nav_item(context: Context, words: str, name: str, also: str = "") -> SafeString:
    """Return an item of the main menu, or "" if the page does not exist.

    The item is active on its own page, and on the pages that `also` lists: namespaces such as `plans`, or beginnings of
    view names such as `room:name`.
    """
    try:
        href = reverse(name)
    except NoReverseMatch:
        return SafeString("")
    request = context.get("request")
    match = getattr(request, "resolver_match", None)
    view_name = match.view_name if match is not None else ""
    active_class, current_attribute = "", ""
    if view_name == name:
        current_attribute = mark_safe(' aria-current="page"')
    elif view_name.startswith(tuple(prefix if ":" in prefix else f"{prefix}:" for prefix in also.split())):
        current_attribute = mark_safe(' aria-current="true"')
    if current_attribute:
        active_class = " govuk-service-navigation__item--active"
    return format_html(
        '<li class="govuk-service-navigation__item{}">'
        '<a class="govuk-service-navigation__link" href="{}"{}>{}</a></li>',
        active_class,
        href,
        current_attribute,
        words,
    )


def _removed(text: object) -> SafeString:
    """Return a removed text, with hidden words for screen readers."""
    return format_html(
        '<del><span class="govuk-visually-hidden">removed: </span>{}'
        '<span class="govuk-visually-hidden">; </span></del>',
        text,
    )


def _added(text: object) -> SafeString:
    """Return an added text, with hidden words for screen readers."""
    return format_html(
        '<ins><span class="govuk-visually-hidden">added: </span>{}<span class="govuk-visually-hidden">; </span></ins>',
        text,
    )


@register.simple_tag
def was_now(was: object, now: object) -> SafeString:
    """Return the old and the new value, also marked by elements and by hidden words."""
    removed_html = _removed(was) if was not in (None, "") else ""
    added_html = _added(now) if now not in (None, "") else ""
    return format_html("{}{}{}", removed_html, " " if removed_html and added_html else "", added_html)


@register.simple_tag
def word_diff(fragments: Iterable[tuple[str, str]]) -> SafeString:
    """Return a text with its changed words marked. The fragments are those of `kit.text`. A gap becomes three dots."""
    return format_html_join("", "{}", ((_fragment(kind, text),) for kind, text in fragments))


def _fragment(kind: str, text: str) -> str:
    """Return the HTML of a fragment. The template escapes fragments that are plain text."""
    match kind:
        case "delete":
            return _removed(text)
        case "insert":
            return _added(text)
        case "gap":
            return " … "
        case _:
            return text


@register.inclusion_tag("partials/_error_summary.html")
def error_summary(form: BaseForm | None) -> dict[str, Any]:
    """Return the errors of a form, each with the id of its field, for a list with links."""
    if form is None or not getattr(form, "errors", None):
        return {"errors": []}
    errors = [{"text": text, "target": ""} for text in form.non_field_errors()]
    for field in [*form.hidden_fields(), *form.visible_fields()]:
        field_id = f"{field.auto_id}_0" if field.use_fieldset else field.id_for_label
        errors += [{"text": text, "target": field_id} for text in error_words(field)]
    return {"errors": errors}


@register.simple_tag(takes_context=True)
def block_text(context: Context, name: str) -> SafeString:
    """Return the content of a block, so that a layout can use the content twice or test it."""
    if BLOCK_CONTEXT_KEY not in context.render_context:
        return SafeString("")
    return SafeString(BlockNode(name, NodeList()).render(context).strip())


@register.simple_block_tag
def empty_state(content: str, heading: str, href: str = "", action: str = "") -> SafeString:
    """Return the message of an empty list, with a heading, the text in the block, and optionally a button."""
    context = {"heading": heading, "text": _one_line(content), "href": href, "action": action}
    return render_to_string("partials/_empty.html", context)


@register.simple_block_tag
def draft_banner(content: str) -> SafeString:
    """Return the banner of a draft, with the text in the block."""
    return render_to_string("partials/_draft_banner.html", {"text": _one_line(content)})


@register.simple_block_tag
def paragraph(content: str) -> SafeString:
    """Return a paragraph of a text email on one line, which mail programs wrap."""
    return _one_line(content)


def _one_line(content: str) -> SafeString:
    """Return the rendered block on one line."""
    return mark_safe(" ".join(content.split()))  # noqa: S308 - the template has rendered and escaped the content
