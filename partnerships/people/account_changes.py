"""Changes on allauth's pages, each in one transaction with its alert, log and journal.

allauth saves a new password first and tells of it afterwards, each in a transaction of its own. A process killed in
between would change the password and tell nobody, and a restore would open the old one again.
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

#: These change something outside `form_valid`.
_WITHOUT_FORM = (ConfirmEmailView, EmailView)


@contextmanager
def _one_transaction() -> Iterator[None]:
    """One transaction for a change and all that allauth does about it.

    For an app and for recovery codes allauth does that after the commit, in callbacks. They are called before it.
    """
    with transaction.atomic():
        yield
        registered = connection.run_on_commit
        theirs = [one for one in registered if getattr(one[1], "__module__", "").startswith("allauth.")]
        connection.run_on_commit = [one for one in registered if one not in theirs]
        for callback in theirs:
            callback[1]()


class _Form:
    """A form's changes in one transaction.

    What comes before them is not in it: rate limits, which other requests wait for and no rollback may undo; and the
    look at a new password in the list of breached ones, over the network.
    """

    def form_valid(self, form: Any) -> HttpResponse:
        with _one_transaction():
            answer: HttpResponse = super().form_valid(form)  # type: ignore[misc]  # beside a view
            return answer


class _Post:
    """A whole POST in one transaction."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with _one_transaction():
            answer: HttpResponse = super().post(request, *args, **kwargs)  # type: ignore[misc]  # beside a view
            return answer


@lru_cache
def in_one_transaction(view: Callable[..., Any]) -> Callable[..., Any]:
    """The view with each change in one transaction; the same view if it has no form."""
    theirs: Any = getattr(view, "view_class", None)
    if theirs in _WITHOUT_FORM:
        around: type = _Post
    elif hasattr(theirs, "form_valid"):
        around = _Form
    else:
        return view
    ours: Any = type(theirs.__name__, (around, theirs), {"__module__": __name__, "__doc__": theirs.__doc__})
    made: Callable[..., Any] = ours.as_view(**view.view_initkwargs)  # type: ignore[attr-defined]  # a view of a class
    return made


def each_in_one_transaction(patterns: Sequence[URLPattern]) -> list[URLPattern]:
    """These URLs, with each change of their views in one transaction."""
    return [URLPattern(one.pattern, in_one_transaction(one.callback), one.default_args, one.name) for one in patterns]
