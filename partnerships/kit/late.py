"""Heavy packages, read when something of them is first used: a worker that sends letters draws no PDF and no network.

    if TYPE_CHECKING:
        import networkx as nx
    else:
        nx = late("networkx")

and views of packages, read at their first request, for letters need an address and not its view:

    path("add/", late_view("allauth.mfa.webauthn.views.add_webauthn"), name="mfa_add_webauthn")

See docs/decisions/0020-heavy-packages-are-read-late.md.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


class Late:
    """Stands for a package; a missing one is an `ImportError` where it is first used, not where it is named."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return getattr(import_module(self._name), attribute)


def late(name: str) -> Any:
    """The package of this name, not read yet."""
    return Late(name)


def late_view(name: str) -> Callable[..., Any]:
    """The view of this dotted name, not read yet. What middleware asks of a view, such as whether one must be signed
    in, is said where the address stands."""
    module, _, function = name.rpartition(".")
    views = late(module)

    def view(request: Any, *args: Any, **kwargs: Any) -> Any:
        return getattr(views, function)(request, *args, **kwargs)

    return view
