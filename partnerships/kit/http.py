"""Shared parts of views: redirects, private files and paging."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog
from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.db.models import F, Model, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.forms import BaseForm
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.datastructures import MultiValueDict
from django.utils.http import url_has_allowed_host_and_scheme

log = structlog.get_logger(__name__)

#: Digits of the largest number of a row that surely fits its column.
_MAX_DIGITS = 18
_Row = TypeVar("_Row", bound=Model)
_Item = TypeVar("_Item")


class DayConverter:
    """A day in an address, such as 2027-04-01."""

    regex = r"\d{4}-\d{2}-\d{2}"

    def to_python(self, value: str) -> dt.date:
        """The day; an impossible one raises ValueError, and the page is not found."""
        return dt.date.fromisoformat(value)

    def to_url(self, value: dt.date | str) -> str:
        """The day as in the address."""
        return str(value)


def row_number(text: str) -> int | None:
    """The number of a row in an address; None for text that cannot be one."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS else None


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


def posted_with_files(
    request: HttpRequest,
) -> tuple[QueryDict, MultiValueDict[str, UploadedFile[Any]]] | tuple[None, None]:
    """The data and files of a form that takes files, as its first two arguments."""
    return (request.POST, request.FILES) if request.method == "POST" else (None, None)


def form_page(request: HttpRequest, template: str, form: BaseForm, **context: Any) -> HttpResponse:
    """The page of a form, with status 422 if the form has errors."""
    return render(request, template, {"form": form, **context}, status=422 if form.errors else 200)


def private_file(file: File[bytes], *, name: str, content_type: str) -> HttpResponseBase:
    """The file as a download that browsers neither open, guess nor cache.

    Call after the permission check. A file missing from storage is a 404, storage that fails a 503 with Retry-After.
    """
    try:
        opened = file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    except OSError as error:
        log.error("files_unavailable", kind=type(error.__cause__ or error).__name__)
        page = render_to_string("503_files.html")
        return HttpResponse(page, status=503, headers={"Retry-After": "60", "Cache-Control": "no-store"})
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


def _beyond(order: Sequence[str], values: Sequence[Any], *, backwards: bool, nullable: Collection[str]) -> Q:
    """The condition for rows after (or before) these values, in this order."""
    condition, equal = Q(pk__in=[]), Q()
    for key, value in zip(order, values, strict=True):
        name = key.lstrip("-")
        descending = key.startswith("-") != backwards
        if value is None:  # the empty ones are last, so every other row is before them
            condition |= equal & Q(**{f"{name}__isnull": False}) if backwards else Q(pk__in=[])
            equal &= Q(**{f"{name}__isnull": True})
            continue
        condition |= equal & Q(**{f"{name}__{'lt' if descending else 'gt'}": value})
        if name in nullable and not backwards:
            condition |= equal & Q(**{f"{name}__isnull": True})
        equal &= Q(**{name: value})
    if order[0].lstrip("-") in nullable:
        return condition
    # A simple bound on the first key lets the database start reading there.
    first = f"{order[0].lstrip('-')}__{'lte' if order[0].startswith('-') != backwards else 'gte'}"
    return Q(**{first: values[0]}) & condition


def _value(row: Model, key: str) -> Any:
    value: Any = row
    for part in key.lstrip("-").split("__"):
        value = getattr(value, part)
    return value


def keyset_page(
    request: HttpRequest,
    rows: QuerySet[_Row],
    *,
    order: Sequence[str],
    size: int = 25,
    nullable: Collection[str] = (),
    kept: QueryDict | None = None,
    first: Callable[[int], list[_Row]] | None = None,
) -> Page[_Row]:
    """A page of `rows` in `order`, by keys instead of offsets.

    `order` has field names, the last one the number of the row. Those in `nullable` may be null, and such rows come
    last in either direction. The request's `after` or `before` holds the number of the row beside the page: no title
    stands in an address, where proxies would log it. Numbers of rows that are not there give the first page. The
    addresses of other pages keep the other parameters, or have those in `kept`. `first` reads that many of the first
    rows in a cheaper way.
    """
    place, backwards = _place(request)
    kept = request.GET if kept is None else kept
    number = order[-1].lstrip("-")
    beside = None
    if (known := row_number(place)) is not None:
        beside = rows.filter(**{number: known}).first()
    backwards = backwards and beside is not None
    wanted = rows
    if beside is not None:
        wanted = rows.filter(
            _beyond(order, [_value(beside, key) for key in order], backwards=backwards, nullable=nullable)
        )
    if beside is None and first is not None:
        rows_of_page = first(size + 1)
    else:
        rows_of_page = list(wanted.order_by(*sorted_by(order, nullable, backwards=backwards))[: size + 1])
    if beside is not None and not rows_of_page:  # what stood beyond that place is gone
        beside, backwards = None, False
        rows_of_page = list(rows.order_by(*sorted_by(order, nullable))[: size + 1])
    more, rows_of_page = len(rows_of_page) > size, rows_of_page[:size]
    if backwards:
        rows_of_page.reverse()
    has_previous = more if backwards else beside is not None
    has_next = True if backwards else more
    return Page(
        rows=rows_of_page,
        previous=_leading(kept, "before", _value(rows_of_page[0], number)) if rows_of_page and has_previous else "",
        next=_leading(kept, "after", _value(rows_of_page[-1], number)) if rows_of_page and has_next else "",
    )


def keyset_page_of(
    request: HttpRequest, items: Sequence[_Item], *, key: Callable[[_Item], tuple[str, ...]], size: int = 25
) -> Page[_Item]:
    """A page of items that were read already, by keys instead of offsets.

    `key` is different for each item. The request's `after` or `before` holds a digest of the key of the item beside the
    page, for the same reason as in `keyset_page`; an unknown one gives the first page.
    """

    def digest(item: _Item) -> str:
        return hashlib.sha256("\x1f".join(key(item)).encode()).hexdigest()[:20]

    place, backwards = _place(request)
    beside = next((number for number, item in enumerate(items) if digest(item) == place), None) if place else None
    start = 0
    if beside is not None:
        start = max(0, beside - size) if backwards else beside + 1
    if start >= len(items):  # the items after that place are done
        start = max(0, len(items) - size)
    end = start + size
    return Page(
        rows=items[start:end],
        previous=_leading(request.GET, "before", digest(items[start])) if start > 0 else "",
        next=_leading(request.GET, "after", digest(items[end - 1])) if end < len(items) else "",
    )


def _place(request: HttpRequest) -> tuple[str, bool]:
    """What stands beside the wanted page, and whether the page is before it."""
    backwards = "after" not in request.GET and "before" in request.GET
    return request.GET.get("before" if backwards else "after", ""), backwards


def _leading(parameters: QueryDict, parameter: str, value: object) -> str:
    """The query string of another page."""
    kept = parameters.copy()
    kept.pop("after", None)
    kept.pop("before", None)
    kept[parameter] = str(value)
    return f"?{kept.urlencode()}"


def sorted_by(order: Sequence[str], nullable: Collection[str], *, backwards: bool = False) -> list[OrderBy | str]:
    """The order for the database, empty ones last, or all of it backwards."""
    return [_sorted_by(key, key.lstrip("-") in nullable, backwards) for key in order]


def _sorted_by(key: str, is_nullable: bool, backwards: bool) -> OrderBy | str:
    name, descending = key.lstrip("-"), key.startswith("-") != backwards
    if not is_nullable:  # without saying where empty ones go, so that an index serves in both directions
        return f"-{name}" if descending else name
    last: dict[str, Any] = {"nulls_first": True} if backwards else {"nulls_last": True}
    return F(name).desc(**last) if descending else F(name).asc(**last)
