"""Heavy packages, imported at first use, so that email workers stay small.

    if TYPE_CHECKING:
        import networkx as nx
    else:
        nx = late("networkx")

Views of packages are imported at their first request, because emails need only their addresses:

    path("add/", late_view("allauth.mfa.webauthn.views.add_webauthn"), name="mfa_add_webauthn")

See docs/decisions/0020-heavy-packages-are-read-late.md.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


class Late:
    """A package imported at first use; a missing one is an `ImportError` then."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return getattr(import_module(self._name), attribute)


def late(name: str) -> Any:
    """The package with this name, not imported yet."""
    return Late(name)


def late_view(
    name: str, *, around: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None
) -> Callable[..., Any]:
    """A view by its dotted name, imported at the first request.

    `around` makes another view of it, at each request.

    What middleware reads from a view, such as whether it needs a sign-in, is declared where its address is.
    """
    module, _, function = name.rpartition(".")
    views = late(module)

    def view(request: Any, *args: Any, **kwargs: Any) -> Any:
        found = getattr(views, function)
        return (found if around is None else around(found))(request, *args, **kwargs)

    return view
