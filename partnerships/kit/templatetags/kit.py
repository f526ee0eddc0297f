"""Template tags for every page: dates, statuses, tabs, differences."""

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
from django.template.loader import render_to_string
from django.template.loader_tags import BLOCK_CONTEXT_KEY, BlockNode
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from partnerships.kit import dates
from partnerships.kit.forms import error_words
from partnerships.kit.prose import to_html
from partnerships.kit.text import masked_address, pounds

register = template.Library()

# Both halves are drawn on a grid of 48; the ask is a line, the offer is filled, the match is both. PDFs have no
# stylesheet inside a drawing, so the line has attributes too.
_ASK = '<path class="cg-half__ask" fill="none" stroke="currentColor" stroke-width="4" d="M22 6a18 18 0 0 0 0 36z"/>'
_OFFER = '<path class="cg-half__offer" d="M26 6a18 18 0 0 1 0 36z"/>'
_HALVES = {"ask": _ASK, "offer": _OFFER, "match": _ASK + _OFFER}
_DIRECTION_WORDS = {"ask": "Ask", "offer": "Offer", "match": "Match"}


def _as_day(value: dt.date | dt.datetime) -> dt.date:
    """The calendar day, in the site's time zone for a moment."""
    if isinstance(value, dt.datetime):
        return timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    return value


@register.simple_tag
def documentation(page: str = "") -> str:
    """The address of a page of the documentation, such as `plans/#owners`.

    "" where it was not built.
    """
    return f"/docs/{page}" if settings.WHITENOISE_ROOT else ""


@register.filter
def masked(address: str) -> str:
    """A masked email address: `b...@example.org`."""
    return masked_address(address)


@register.filter
def long_date(value: dt.date | dt.datetime | None) -> str:
    """`12 November 2026`; "" for None."""
    return dates.long_date(_as_day(value)) if value else ""


@register.filter
def partial_date(value: str) -> str:
    """A partial date: `2027`, `April 2027`, `11 April 2027`; "" for None."""
    return dates.PartialDate.parse(value).words if value else ""


@register.filter
def long_time(value: dt.datetime | None) -> str:
    """`12 November 2026, 09:14` in the site's time zone; "" for None."""
    if not value:
        return ""
    return dates.long_time(timezone.localtime(value) if timezone.is_aware(value) else value)


register.filter(pounds)
register.filter("prose", to_html)


@register.filter
def age(value: dt.date | dt.datetime | None) -> str:
    """An age: `today`, `1 day`, `23 days`; "" for None."""
    return dates.age_in_words(_as_day(value), timezone.localdate()) if value else ""


@register.filter
def lasting(value: dt.date | dt.datetime | None) -> str:
    """A duration until now: `since today`, `for 23 days`; "" for None."""
    age_in_words = age(value)
    return f"since {age_in_words}" if age_in_words == "today" else age_in_words and f"for {age_in_words}"


@register.filter
def overdue(value: dt.date | dt.datetime | None) -> str:
    """`overdue by 3 days`; "" for None and if it is not overdue."""
    return dates.overdue_in_words(_as_day(value), timezone.localdate()) if value else ""


@register.filter
def due(value: dt.date | dt.datetime | None) -> str:
    """`due in 3 days`, `due today` or `12 days overdue`; "" for None."""
    if not value:
        return ""
    days = (_as_day(value) - timezone.localdate()).days
    if days == 0:
        return "due today"
    words = f"{abs(days)} day" if abs(days) == 1 else f"{abs(days)} days"
    return f"due in {words}" if days > 0 else f"{words} overdue"


def when_due(day: dt.date | None, *, is_open: bool) -> str:
    """A day, and while something is open how far it is.

    `12 November 2026, due in 3 days`; "" for None.
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
    """A user agent in words: `Firefox on Windows`; else `A program`."""
    name = next((words for mark, words in _BROWSERS if mark in user_agent), "")
    system = next((words for mark, words in _SYSTEMS if mark in user_agent), "")
    return f"{name} on {system}" if name and system else name or "A program"


@register.filter
def a_role(label: str) -> str:
    """A role, to follow "as": `a lead`, `an editor`.

    `chair` has no article, because there is only one.
    """
    role = label.lower()
    if role == "chair":
        return role
    return f"an {role}" if role[:1] in "aeiou" else f"a {role}"


@register.filter
def and_list(items: Iterable[object] | None, attribute: str = "") -> str:
    """Items in a sentence: `A, B and C`.

    `people|and_list:"display_name"` shows this attribute of each.
    """
    names = [str(attrgetter(attribute)(item) if attribute else item) for item in items or ()]
    *others, last = names or [""]
    return f"{', '.join(others)} and {last}" if others else last


def _class_name(code: object) -> str:
    """A code as part of a class name: `at_risk` becomes `at-risk`."""
    return str(code).lower().replace("_", "-").replace(" ", "-")


@register.simple_tag
def status_tag(words: object, code: object = "") -> SafeString:
    """A status tag; the stylesheet has a colour for each code."""
    extra = f" cg-tag--{_class_name(code)}" if code else ""
    return format_html('<strong class="govuk-tag cg-tag{}">{}</strong>', extra, words)


@register.simple_tag
def half_disc(kind: object, size: str = "") -> SafeString:
    """The mark of an ask, offer or match; decorative, so add the word."""
    name = _class_name(kind)
    return format_html(
        '<svg class="cg-half cg-half--{}{}" viewBox="0 0 48 48" aria-hidden="true" focusable="false">{}</svg>',
        name,
        f" cg-half--{size}" if size else "",
        mark_safe(_HALVES.get(name, "")),  # noqa: S308 - one of the constants above
    )


@register.simple_tag
def direction(kind: object, words: str = "") -> SafeString:
    """The mark and its word: `Ask`, `Offer` or `Match`."""
    name = _class_name(kind)
    return format_html(
        '<span class="cg-direction cg-direction--{}">{}<span>{}</span></span>',
        name,
        half_disc(kind),
        words or _DIRECTION_WORDS.get(name, ""),
    )


@register.simple_tag
def count_tile(number: object, words: str, href: str = "", one: str = "") -> SafeString:
    """A number with its words, as an item of a `cg-counts` list.

    It is a link if it has an address. `one` are the words for the number 1, if different.
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
    """An organisation's name with the shape of its kind."""
    name_or_link = format_html('<a class="govuk-link" href="{}">{}</a>', href, name) if href else name
    return format_html(
        '<span class="cg-chip cg-chip--{}"><span class="cg-chip__shape" aria-hidden="true"></span>{}</span>',
        _class_name(kind) or "organisation",
        name_or_link,
    )


@register.simple_tag
def person_chip(name: object, role: object = "", href: str = "") -> SafeString:
    """A person's name, with a role if given."""
    name_or_link = format_html('<a class="govuk-link" href="{}">{}</a>', href, name) if href else name
    role_html = format_html(' <span class="cg-chip__role">{}</span>', role) if role else ""
    return format_html(
        '<span class="cg-chip cg-chip--person"><span class="cg-chip__shape" aria-hidden="true"></span>{}{}</span>',
        name_or_link,
        role_html,
    )


@register.simple_block_tag
def tabs(content: str, label: str) -> SafeString:
    """Sub-navigation around `tab`s; the label is for screen readers."""
    return format_html(
        '<nav class="moj-sub-navigation cg-no-print" aria-label="{}">'
        '<ul class="moj-sub-navigation__list">{}</ul></nav>',
        label,
        content,
    )


@register.simple_tag(takes_context=True)
def tab(
    context: Context,
    words: str,
    href: str,
    count: int | None = None,
    current: bool | None = None,
    also: str = "",
) -> SafeString:
    """A tab; current if its address is the page's, unless `current` is given.

    `also` names views, as `room:name`, whose pages lie below it.
    """
    request = context.get("request")
    if current is None:
        current = request is not None and request.path == href.partition("?")[0]
    match = getattr(request, "resolver_match", None)
    mark = ""
    if current:
        mark = mark_safe(' aria-current="page"')
    elif match is not None and match.view_name in also.split():
        mark = mark_safe(' aria-current="true"')
    return format_html(
        '<li class="moj-sub-navigation__item"><a class="moj-sub-navigation__link" href="{}"{}>{}{}</a></li>',
        href,
        mark,
        words,
        "" if count is None else format_html(' <span class="cg-tab-count">{}</span>', count),
    )


@register.simple_tag(takes_context=True)
def nav_item(context: Context, words: str, name: str, also: str = "") -> SafeString:
    """An item of the main menu; "" if the page does not exist.

    Active on its page, in the namespaces of `also`, and on views whose names begin with a listed `room:name`.
    """
    try:
        href = reverse(name)
    except NoReverseMatch:
        return SafeString("")
    request = context.get("request")
    match = getattr(request, "resolver_match", None)
    here = match.view_name if match is not None else ""
    active = here == name or any(
        here.startswith(place) if ":" in place else here.startswith(f"{place}:") for place in also.split()
    )
    return format_html(
        '<li class="govuk-service-navigation__item{}">'
        '<a class="govuk-service-navigation__link" href="{}"{}>{}</a></li>',
        " govuk-service-navigation__item--active" if active else "",
        href,
        mark_safe(' aria-current="true"' if here != name else ' aria-current="page"')  # noqa: S308 - constants
        if active
        else "",
        words,
    )


def _removed(text: object) -> SafeString:
    return format_html(
        '<del><span class="govuk-visually-hidden">removed: </span>{}'
        '<span class="govuk-visually-hidden">; </span></del>',
        text,
    )


def _added(text: object) -> SafeString:
    return format_html(
        '<ins><span class="govuk-visually-hidden">added: </span>{}<span class="govuk-visually-hidden">; </span></ins>',
        text,
    )


@register.simple_tag
def was_now(was: object, now: object) -> SafeString:
    """The old and new value, also marked by elements and hidden words."""
    removed = _removed(was) if was not in (None, "") else ""
    came = _added(now) if now not in (None, "") else ""
    return format_html("{}{}{}", removed, " " if removed and came else "", came)


@register.simple_tag
def word_diff(fragments: Iterable[tuple[str, str]]) -> SafeString:
    """A text with changed words: fragments of `kit.text`; a gap is three dots."""
    return format_html_join("", "{}", ((_fragment(kind, text),) for kind, text in fragments))


def _fragment(kind: str, text: str) -> str:
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
    """A list of errors with links to their fields; "" if there are none."""
    if form is None or not getattr(form, "errors", None):
        return {"errors": []}
    errors = [{"text": text, "target": ""} for text in form.non_field_errors()]
    for field in [*form.hidden_fields(), *form.visible_fields()]:
        first = f"{field.auto_id}_0" if field.use_fieldset else field.id_for_label
        errors += [{"text": text, "target": first} for text in error_words(field)]
    return {"errors": errors}


@register.simple_tag(takes_context=True)
def block_text(context: Context, name: str) -> SafeString:
    """The content of a block, so that a layout can use it twice or test it."""
    if BLOCK_CONTEXT_KEY not in context.render_context:
        return SafeString("")
    return SafeString(BlockNode(name, NodeList()).render(context).strip())


@register.simple_block_tag
def empty_state(content: str, heading: str, href: str = "", action: str = "") -> SafeString:
    """An empty list: heading, the text in the block, and optionally a button."""
    context = {"heading": heading, "text": _one_line(content), "href": href, "action": action}
    return render_to_string("partials/_empty.html", context)


@register.simple_block_tag
def draft_banner(content: str) -> SafeString:
    """The banner of a draft, with the text in the block."""
    return render_to_string("partials/_draft_banner.html", {"text": _one_line(content)})


@register.simple_block_tag
def paragraph(content: str) -> SafeString:
    """A paragraph of a text email: one line, which mail programs wrap."""
    return _one_line(content)


def _one_line(content: str) -> SafeString:
    """The rendered block, on one line."""
    return mark_safe(" ".join(content.split()))  # noqa: S308  # rendered by the template, and so escaped already
