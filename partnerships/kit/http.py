"""Shared parts of views: redirects, private files and paging."""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.db.models import Model, Q, QuerySet
from django.forms import BaseForm
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

_Row = TypeVar("_Row", bound=Model)
_Item = TypeVar("_Item")


def next_url(request: HttpRequest, default: str, *, parameter: str = "next") -> str:
    """The address in `next` if it is on our site, else `default`."""
    wanted = request.POST.get(parameter) or request.GET.get(parameter) or ""
    allowed = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    # Only paths: an address with our host might still be misread.
    return wanted if allowed and wanted.startswith("/") else default


def posted(request: HttpRequest) -> QueryDict | None:
    """The POST data; an empty form that was sent is bound too."""
    return request.POST if request.method == "POST" else None


def form_page(request: HttpRequest, template: str, form: BaseForm, **context: Any) -> HttpResponse:
    """The page of a form, with status 422 if the form has errors."""
    return render(request, template, {"form": form, **context}, status=422 if form.errors else 200)


def private_file(file: File[bytes], *, name: str, content_type: str) -> HttpResponseBase:
    """The file as a download that browsers neither open, guess nor cache.

    Call after the permission check. A file missing from storage is a 404.
    """
    try:
        opened = file.open("rb")
    except OSError as error:
        raise Http404 from error
    response = FileResponse(opened, as_attachment=True, filename=name, content_type=content_type)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response


@dataclass(frozen=True, slots=True)
class Page(Generic[_Item]):
    """A page of a list, with query strings of the previous and next pages.

    They are empty if there is none.
    """

    rows: Sequence[_Item]
    previous: str
    next: str

    @property
    def is_first(self) -> bool:
        """Whether this is the first page."""
        return not self.previous


def _encode(values: Sequence[Any]) -> str:
    text = json.dumps([value if isinstance(value, int | str) or value is None else str(value) for value in values])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(text: str, length: int) -> list[Any] | None:
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    if not isinstance(values, list) or len(values) != length:
        return None
    # Keys that no row can have would cause database errors.
    plain = all(
        (isinstance(one, int) and abs(one) < 2**63) or (isinstance(one, str) and "\x00" not in one) for one in values
    )
    return values if plain else None


def _beyond(order: Sequence[str], values: Sequence[Any], *, backwards: bool) -> Q:
    """The condition for rows after (or before) these values, in this order."""
    condition, equal = Q(pk__in=[]), Q()
    for key, value in zip(order, values, strict=True):
        name = key.lstrip("-")
        descending = key.startswith("-") != backwards
        condition |= equal & Q(**{f"{name}__{'lt' if descending else 'gt'}": value})
        equal &= Q(**{name: value})
    # A simple bound on the first key lets the database start reading there.
    first = f"{order[0].lstrip('-')}__{'lte' if order[0].startswith('-') != backwards else 'gte'}"
    return Q(**{first: values[0]}) & condition


def _value(row: Model, key: str) -> Any:
    value: Any = row
    for part in key.lstrip("-").split("__"):
        value = getattr(value, part)
    return value


def keyset_page(request: HttpRequest, rows: QuerySet[_Row], *, order: Sequence[str], size: int = 25) -> Page[_Row]:
    """A page of `rows` in `order`, by keys instead of offsets.

    `order` has field names that are never null, the last one unique. The request's `after` or `before` chooses the
    page; invalid ones give the first. Other parameters are kept.
    """
    backwards = "after" not in request.GET and "before" in request.GET
    place = _decode(request.GET.get("before" if backwards else "after", ""), len(order))
    backwards = backwards and place is not None
    wanted = rows
    if place is not None:
        try:
            wanted = rows.filter(_beyond(order, place, backwards=backwards))
        except (ValueError, TypeError, ValidationError, OverflowError):
            wanted, place, backwards = rows, None, False
    reading = [_reversed(key) for key in order] if backwards else list(order)
    found = list(wanted.order_by(*reading)[: size + 1])
    if place is not None and not found:  # what stood beyond that place is gone
        place, backwards = None, False
        found = list(rows.order_by(*order)[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    has_previous = more if backwards else place is not None
    has_next = True if backwards else more

    def leading(parameter: str, row: _Row) -> str:
        return _leading(request, parameter, [_value(row, key) for key in order])

    return Page(
        rows=found,
        previous=leading("before", found[0]) if found and has_previous else "",
        next=leading("after", found[-1]) if found and has_next else "",
    )


def keyset_page_of(
    request: HttpRequest, items: Sequence[_Item], *, key: Callable[[_Item], tuple[str, ...]], size: int = 25
) -> Page[_Item]:
    """A page of items that were read already, by keys instead of offsets.

    The items are sorted by `key`, which is different for each. The request's `after` or `before` chooses the page;
    invalid ones give the first.
    """
    keys = [key(item) for item in items]
    backwards = "after" not in request.GET and "before" in request.GET
    place = _decode(request.GET.get("before" if backwards else "after", ""), len(keys[0])) if keys else None
    start = 0
    if place is not None and all(isinstance(one, str) for one in place):
        start = max(0, bisect_left(keys, tuple(place)) - size) if backwards else bisect_right(keys, tuple(place))
    if start >= len(keys):  # the items after that place are done: the last ones there are
        start = max(0, len(keys) - size)
    end = start + size
    return Page(
        rows=items[start:end],
        previous=_leading(request, "before", keys[start]) if start > 0 else "",
        next=_leading(request, "after", keys[end - 1]) if end < len(keys) else "",
    )


def _leading(request: HttpRequest, parameter: str, values: Sequence[Any]) -> str:
    """The query string of another page."""
    kept = request.GET.copy()
    kept.pop("after", None)
    kept.pop("before", None)
    kept[parameter] = _encode(values)
    return f"?{kept.urlencode()}"


def _reversed(key: str) -> str:
    return key.removeprefix("-") if key.startswith("-") else f"-{key}"
