"""Helpers for views, with form data, redirects, private files and pages of lists."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
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
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme

log = structlog.get_logger(__name__)

#: An id of this many digits always fits into a bigint.
_MAX_DIGITS = 18
_Row = TypeVar("_Row", bound=Model)
_Item = TypeVar("_Item")


class DayConverter:
    """A day in a URL, such as 2027-04-01."""

    regex = r"\d{4}-\d{2}-\d{2}"

    def to_python(self, value: str) -> dt.date:
        """Return the day. Raises `ValueError` for a day that does not exist, and Django then answers with 404."""
        return dt.date.fromisoformat(value)

    def to_url(self, value: dt.date | str) -> str:
        """Return the day in ISO form."""
        return str(value)


def row_number(text: str) -> int | None:
    """Return the id of a row from a query string, or None for a text that cannot be an id."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS else None


def next_url(request: HttpRequest, default: str, *, parameter: str = "next") -> str:
    """Return the address in the parameter `next` if it is on our site, else `default`."""
    address = request.POST.get(parameter) or request.GET.get(parameter) or ""
    is_allowed = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    # Only paths are allowed, because browsers might misread an address that has our host.
    return address if is_allowed and address.startswith("/") else default


def post_data(request: HttpRequest) -> QueryDict | None:
    """Return the POST data to bind a form to, which may be empty. Returns None if the request sends no form."""
    return request.POST if request.method == "POST" else None


def post_data_and_files(
    request: HttpRequest,
) -> tuple[QueryDict, MultiValueDict[str, UploadedFile[Any]]] | tuple[None, None]:
    """Return the POST data and files as the first two arguments of a form. Both are None if no form was sent."""
    return (request.POST, request.FILES) if request.method == "POST" else (None, None)


def form_page(request: HttpRequest, template: str, form: BaseForm, **context: Any) -> HttpResponse:
    """Show the page of a form, with status 422 if the form has errors."""
    return render(request, template, {"form": form, **context}, status=422 if form.errors else 200)


@contextmanager
def show_refusal(form: BaseForm, *refusals: type[Exception], field: str | None = None) -> Iterator[None]:
    """If the block raises one of these exceptions, add its message to the form, at the field or above all fields.

    The view then continues after the block, and shows the page of the form again:

        if request.method == "POST" and form.is_valid():
            with show_refusal(form, UnableToChangePost):
                end_post(post=post, author=user, now=timezone.now(), **form.cleaned_data)
                return redirect(post)

        return form_page(request, "agreements/posts/end.html", form, post=post)
    """
    try:
        yield
    except refusals as error:
        form.add_error(field, str(error))


def private_file(file: File[bytes], *, name: str, content_type: str) -> HttpResponseBase:
    """Return the file as a download. Browsers do not open it or guess its type, and nothing caches it.

    Check the reader's rights first. A file that is missing from storage gives status 404, and storage that fails gives
    503.
    """
    try:
        open_file = file.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    except OSError as error:
        log.error("files_unavailable", kind=type(error.__cause__ or error).__name__)
        page = render_to_string("503_files.html")
        return HttpResponse(page, status=503, headers={"Retry-After": "60", "Cache-Control": "no-store"})
    response = FileResponse(open_file, as_attachment=True, filename=name, content_type=content_type)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response


@dataclass(frozen=True, slots=True)
class Page(Generic[_Item]):
    """A page of a list."""

    rows: Sequence[_Item]
    #: Query strings of the previous and the next page, or "" if there is none.
    previous: str
    next: str

    @property
    def is_first(self) -> bool:
        """Return whether this is the first page."""
        return not self.previous


def _is_beyond(order: Sequence[str], values: Sequence[Any], *, backwards: bool, nullable: Collection[str]) -> Q:
    """Return the condition for rows that come after (or before) these values in this order.

    For each key, it matches the rows that are equal in all earlier keys and beyond the value in this key.
    """
    nothing = Q(pk__in=[])
    condition, equal_so_far = nothing, Q()
    for key, value in zip(order, values, strict=True):
        field = key.lstrip("-")
        is_null = Q(**{f"{field}__isnull": True})
        if value is None:  # nulls come last, so only rows with a value are before them
            if backwards:
                condition |= equal_so_far & Q(**{f"{field}__isnull": False})
            equal_so_far &= is_null
            continue
        comparison = "lt" if _is_descending(key, backwards) else "gt"
        condition |= equal_so_far & Q(**{f"{field}__{comparison}": value})
        if field in nullable and not backwards:
            condition |= equal_so_far & is_null
        equal_so_far &= Q(**{field: value})

    first_key = order[0]
    first_field = first_key.lstrip("-")
    if first_field in nullable:
        return condition
    # This bound follows from the condition, but lets PostgreSQL start to read an index there.
    comparison = "lte" if _is_descending(first_key, backwards) else "gte"
    return Q(**{f"{first_field}__{comparison}": values[0]}) & condition


def _is_descending(key: str, backwards: bool) -> bool:
    """Return whether the page is read in descending order of this key."""
    return key.startswith("-") != backwards


def _value(row: Model, key: str) -> Any:
    """Return the row's value of a sort key, which may name a field of a related row, such as `-plan__title`."""
    value: Any = row
    for attribute in key.lstrip("-").split("__"):
        value = getattr(value, attribute)
    return value


def keyset_page(
    request: HttpRequest,
    rows: QuerySet[_Row] | Callable[[], QuerySet[_Row]],
    *,
    order: Sequence[str],
    size: int = 25,
    nullable: Collection[str] = (),
    link_parameters: QueryDict | None = None,
    read_first_rows: Callable[[int], list[_Row]] | None = None,
) -> Page[_Row]:
    """Return a page of `rows` in `order`, which begins after a row or ends before a row instead of at an offset.

    `order` has field names, and the last one is an id. Fields in `nullable` may be null. Rows with a null come last,
    whether the order is ascending or descending.

    The request's `after` or `before` is the id of this row. (It is not the row's sort key, because a title in an
    address would appear in the logs of proxies.) If the row no longer exists, the first page is returned.

    The query strings of the previous and next page repeat the request's other parameters, or those in
    `link_parameters`. If the first rows can be read faster than by `rows`, `read_first_rows` reads that many of them.
    `rows` may then be a function, which is called only for other pages, because composing the query takes time.
    """
    query: Any = SimpleLazyObject(rows) if callable(rows) else rows
    neighbour_text, backwards = _neighbour(request)
    id_field = order[-1].lstrip("-")
    neighbour_id = row_number(neighbour_text)
    neighbour = None if neighbour_id is None else query.filter(**{id_field: neighbour_id}).first()

    # One row more than the page's size is read, to see whether there are more.
    page_rows: list[_Row] = []
    if neighbour is not None:
        page_rows = list(_rows_from(query, neighbour, order, nullable, backwards=backwards)[: size + 1])
    is_first_page = not page_rows  # there is no neighbour, or no row beyond it any more
    if is_first_page and read_first_rows is not None:
        page_rows = read_first_rows(size + 1)
    elif is_first_page:
        page_rows = list(query.order_by(*sorted_by(order, nullable))[: size + 1])

    has_more = len(page_rows) > size
    page_rows = page_rows[:size]
    if is_first_page:
        has_previous, has_next = False, has_more
    elif backwards:
        page_rows.reverse()  # they were read from the neighbour up
        has_previous, has_next = has_more, True
    else:
        has_previous, has_next = True, has_more
    parameters = request.GET if link_parameters is None else link_parameters
    return Page(
        rows=page_rows,
        previous=_query(parameters, "before", _value(page_rows[0], id_field)) if has_previous else "",
        next=_query(parameters, "after", _value(page_rows[-1], id_field)) if has_next else "",
    )


def _rows_from(
    query: QuerySet[_Row], neighbour: _Row, order: Sequence[str], nullable: Collection[str], *, backwards: bool
) -> QuerySet[_Row]:
    """Return the rows after the neighbour in this order, or with `backwards` the rows before it, the nearest first."""
    values = [_value(neighbour, key) for key in order]
    condition = _is_beyond(order, values, backwards=backwards, nullable=nullable)
    return query.filter(condition).order_by(*sorted_by(order, nullable, backwards=backwards))


def keyset_page_of(
    request: HttpRequest, items: Sequence[_Item], *, key: Callable[[_Item], tuple[str, ...]], size: int = 25
) -> Page[_Item]:
    """Return a page of items in memory, which begins after an item or ends before an item.

    `key` must be different for each item. The request's `after` or `before` is a hash of the item's key, so that no
    title appears in an address. If no item has this hash, the first page is returned.
    """

    def digest(item: _Item) -> str:
        return hashlib.sha256("\x1f".join(key(item)).encode()).hexdigest()[:20]

    neighbour_digest, backwards = _neighbour(request)
    neighbour_index = None
    if neighbour_digest:
        neighbour_index = next((index for index, item in enumerate(items) if digest(item) == neighbour_digest), None)

    start = 0
    if neighbour_index is not None:
        start = max(0, neighbour_index - size) if backwards else neighbour_index + 1
    if start >= len(items):  # there are no more items after the neighbour, so the last page is shown
        start = max(0, len(items) - size)
    end = start + size
    return Page(
        rows=items[start:end],
        previous=_query(request.GET, "before", digest(items[start])) if start > 0 else "",
        next=_query(request.GET, "after", digest(items[end - 1])) if end < len(items) else "",
    )


def _neighbour(request: HttpRequest) -> tuple[str, bool]:
    """Return the request's `after` or `before`, and whether it was `before`.

    The text is "" if the request has neither of them.
    """
    is_backwards = "after" not in request.GET and "before" in request.GET
    return request.GET.get("before" if is_backwards else "after", ""), is_backwards


def _query(parameters: QueryDict, direction: str, neighbour: object) -> str:
    """Return the query string of the page before or after a row."""
    new_parameters = parameters.copy()
    new_parameters.pop("after", None)
    new_parameters.pop("before", None)
    new_parameters[direction] = str(neighbour)
    return f"?{new_parameters.urlencode()}"


def sorted_by(order: Sequence[str], nullable: Collection[str], *, backwards: bool = False) -> list[OrderBy | str]:
    """Return the arguments of `order_by` for this order with nulls last, or for the reverse order."""
    return [_sorted_by(key, key.lstrip("-") in nullable, backwards) for key in order]


def _sorted_by(key: str, is_nullable: bool, backwards: bool) -> OrderBy | str:
    field, is_descending = key.lstrip("-"), _is_descending(key, backwards)
    if not is_nullable:  # without NULLS LAST, so that one index serves both directions
        return f"-{field}" if is_descending else field
    nulls: dict[str, Any] = {"nulls_first": True} if backwards else {"nulls_last": True}
    return F(field).desc(**nulls) if is_descending else F(field).asc(**nulls)
