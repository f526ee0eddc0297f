"""Make each change on allauth's pages in one transaction with its alert, log entry and journal line.

allauth saves a new password first and then sends its signals, each in a separate transaction. If the process were
killed in between, the password would change without an alert, and a restore would bring the old password back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from allauth.account.views import ConfirmEmailView, EmailView
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern

#: allauth's views that make changes outside `form_valid`.
_CHANGE_ON_POST = (ConfirmEmailView, EmailView)


@contextmanager
def _transaction_with_hooks() -> Iterator[None]:
    """Run a change, and everything that allauth does because of it, in one transaction.

    After a change of an authenticator app or recovery codes, allauth sends its signals in on-commit callbacks. Here,
    these callbacks are called before the commit.
    """
    with transaction.atomic():
        yield
        callbacks = connection.run_on_commit
        allauth_callbacks = [entry for entry in callbacks if _is_of_allauth(entry)]
        connection.run_on_commit = [entry for entry in callbacks if not _is_of_allauth(entry)]
        for entry in allauth_callbacks:
            callback = entry[1]
            callback()


def _is_of_allauth(entry: Sequence[Any]) -> bool:
    """Return True if allauth registered this entry of `connection.run_on_commit`."""
    callback = entry[1]
    return getattr(callback, "__module__", "").startswith("allauth.")


class _AtomicForm:
    """A mixin that saves a valid form in one transaction.

    The earlier steps run outside the transaction. A rate limit must survive a rollback, and must not make other
    requests wait. A breached password is looked up over the network.
    """

    def form_valid(self, form: Any) -> HttpResponse:
        with _transaction_with_hooks():
            response: HttpResponse = super().form_valid(form)  # type: ignore[misc]  # mixed into a view
            return response


class _AtomicPost:
    """A mixin that handles a whole POST request in one transaction."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with _transaction_with_hooks():
            response: HttpResponse = super().post(request, *args, **kwargs)  # type: ignore[misc]  # mixed into a view
            return response


@lru_cache
def in_one_transaction(view: Callable[..., Any]) -> Callable[..., Any]:
    """Return the view with each change in one transaction; a view without a form is returned unchanged."""
    view_class: Any = getattr(view, "view_class", None)
    if view_class in _CHANGE_ON_POST:
        mixin: type = _AtomicPost
    elif hasattr(view_class, "form_valid"):
        mixin = _AtomicForm
    else:
        return view
    attributes = {"__module__": __name__, "__doc__": view_class.__doc__}
    atomic_class: Any = type(view_class.__name__, (mixin, view_class), attributes)
    atomic_view: Callable[..., Any] = atomic_class.as_view(**view.view_initkwargs)  # type: ignore[attr-defined]  # a class-based view
    return atomic_view


def each_in_one_transaction(patterns: Sequence[URLPattern]) -> list[URLPattern]:
    """Return the same URL patterns, with each change of their views in one transaction."""
    return [
        URLPattern(pattern.pattern, in_one_transaction(pattern.callback), pattern.default_args, pattern.name)
        for pattern in patterns
    ]
