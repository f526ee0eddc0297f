"""Import heavy packages at their first use, so that email workers use little memory.

    if TYPE_CHECKING:
        import networkx as nx
    else:
        nx = late("networkx")

Views of packages are imported at their first request, because emails need only their URLs:

    path("add/", late_view("allauth.mfa.webauthn.views.add_webauthn"), name="mfa_add_webauthn")

See docs/decisions/0020-heavy-packages-are-read-late.md.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


class Late:
    """A package that is imported at its first use, which raises `ImportError` if the package is missing."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return getattr(import_module(self._name), attribute)


def late(name: str) -> Any:
    """Return an object with the attributes of the package of this name, which is imported at its first use."""
    return Late(name)


def late_view(
    name: str, *, around: Callable[[Callable[..., Any]], Callable[..., Any]] | None = None
) -> Callable[..., Any]:
    """Return the view with this dotted name, which is imported at its first request.

    `around` is a decorator for the view. Some decorators, such as `login_not_required`, mark a view for middleware.
    These must decorate the result of `late_view`, because middleware runs before the view is imported.
    """
    module_name, _, function_name = name.rpartition(".")
    module = late(module_name)

    def view(request: Any, *args: Any, **kwargs: Any) -> Any:
        imported_view = getattr(module, function_name)
        if around is not None:
            imported_view = around(imported_view)
        return imported_view(request, *args, **kwargs)

    return view
