"""Renders fewer models in `migrate`, and each faster.

After each operation Django renders the changed model and every model related to it, which here is nearly all of them.
A change of tables needs the changed model and those that point to it. An index, a constraint or a trigger changes
nothing but a list in the model's options, so only that list is renewed. Before Python code of a migration runs, Django
renders everything again.
What this saves: docs/decisions/0080-migrate-renders-less.md.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from django.db.migrations.state import ProjectState
from django.db.models import Field
from pgtrigger import migrations as triggers

#: The options of a model that nothing but the model itself reads.
OPTIONS = ("indexes", "constraints", "triggers")


def _renew_options(self: ProjectState, app_label: str, model_name: str, delay: bool = False) -> None:
    """Instead of `reload_model`: put the changed lists into the rendered model."""
    if "apps" not in self.__dict__:
        return  # nothing is rendered yet
    model, options = self.apps.get_model(app_label, model_name), self.models[app_label, model_name.lower()].options
    for name in OPTIONS:
        if name in options:
            setattr(model._meta, name, list(options[name]))


def _changed_and_pointing_at_it(
    self: ProjectState, app_label: str, model_name: str, delay: bool = False
) -> set[tuple[str, str]]:
    """Instead of `_find_reload_model`: the changed model and the models that point to it.

    Others keep the model as it was before, so `RunPython` has all of them rendered again (`is_delayed`).
    """
    self.is_delayed = True
    found = {(app_label, model_name)}
    try:
        model = self.apps.get_model(app_label, model_name)
    except LookupError:
        return found  # a new model
    pointing = [
        field.related_model
        for field in model._meta.get_fields(include_parents=True, include_hidden=True)
        if field.is_relation and field.auto_created and not field.concrete
    ]
    found |= {
        (one._meta.app_label, one._meta.model_name) for one in [*pointing, *model.__subclasses__()] if one is not None
    }
    return found


def _without_rendering(change: Callable[..., None]) -> Callable[..., None]:
    """The same change, with `reload_model` replaced while it runs."""

    def changed(*args: Any) -> None:
        with patch.object(ProjectState, "reload_model", _renew_options):
            change(*args)

    return changed


_clone = Field.clone


def _copy_unbound(self: Field[Any, Any]) -> Field[Any, Any]:
    """Replaces `clone`: copies the field as Django copies those of abstract models."""
    if hasattr(self, "model"):
        return _clone(self)
    copied = copy.deepcopy(self)
    copied.creation_counter = Field.creation_counter
    Field.creation_counter += 1
    return copied


@contextmanager
def rendering_less() -> Iterator[None]:
    """Apply these changes without rendering models again."""
    places: list[tuple[type[Any], str]] = [
        (ProjectState, name) for name in ("_append_option", "_remove_option", "_alter_option")
    ]
    places += [(operation, "state_forwards") for operation in (triggers.AddTrigger, triggers.RemoveTrigger)]
    with ExitStack() as stack:
        stack.enter_context(patch.object(Field, "clone", _copy_unbound))
        stack.enter_context(patch.object(ProjectState, "_find_reload_model", _changed_and_pointing_at_it))
        for owner, name in places:
            stack.enter_context(patch.object(owner, name, _without_rendering(getattr(owner, name))))
        yield
