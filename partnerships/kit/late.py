"""Heavy packages, read when something of them is first used: a worker that sends letters draws no PDF and no network.

    if TYPE_CHECKING:
        import networkx as nx
    else:
        nx = late("networkx")

See docs/decisions/0020-heavy-packages-are-read-late.md.
"""

from __future__ import annotations

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
