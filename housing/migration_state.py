"""Make `migrate` faster by rendering fewer models (docs/decisions/0080-migrate-renders-less.md).

After each operation Django renders the changed model and every model related to it, which here is nearly all of them.
- If a table changes, it is enough to render its model and the models that refer to it.
- An index, a constraint or a trigger changes only a list in the model's options, so only that list is replaced.
Before Python code of a migration runs (`RunPython`), Django renders everything again.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from django.db.migrations import state
from django.db.migrations.state import ProjectState
from django.db.models import Field
from pgtrigger import migrations as triggers

#: Options of a model that no other model reads.
OPTIONS = ("indexes", "constraints", "triggers")


def _renew_options(self: ProjectState, app_label: str, model_name: str, delay: bool = False) -> None:
    """Copy the changed lists to the rendered model. This replaces Django's `reload_model`."""
    if "apps" not in self.__dict__:
        return  # no model is rendered yet
    model, options = self.apps.get_model(app_label, model_name), self.models[app_label, model_name.lower()].options
    for name in OPTIONS:
        if name in options:
            setattr(model._meta, name, list(options[name]))


def _changed_and_referring_models(
    self: ProjectState, app_label: str, model_name: str, delay: bool = False
) -> set[tuple[str, str]]:
    """Return the changed model and the models that refer to it. This replaces Django's `_find_reload_model`.

    All other models keep an old version of the model. `is_delayed` makes `RunPython` render them again.
    """
    self.is_delayed = True
    try:
        model = self.apps.get_model(app_label, model_name)
    except LookupError:
        return {(app_label, model_name)}  # the model is new
    referring_models = [
        field.related_model
        for field in model._meta.get_fields(include_parents=True, include_hidden=True)
        if field.is_relation and field.auto_created and not field.concrete
    ]
    affected_models = [*referring_models, *model.__subclasses__()]
    return {(app_label, model_name)} | {
        (affected._meta.app_label, affected._meta.model_name) for affected in affected_models if affected is not None
    }


def _without_rendering(operation: Callable[..., None]) -> Callable[..., None]:
    """Return the same operation, with `reload_model` replaced by `_renew_options` while it runs."""

    def patched(*args: Any) -> None:
        with patch.object(ProjectState, "reload_model", _renew_options):
            operation(*args)

    return patched


_clone = Field.clone


def _copy_unbound(self: Field[Any, Any]) -> Field[Any, Any]:
    """Copy a field that has no model yet, as Django copies the fields of abstract models. This replaces `clone`."""
    if hasattr(self, "model"):
        return _clone(self)
    field_copy = copy.deepcopy(self)
    field_copy.creation_counter = Field.creation_counter
    Field.creation_counter += 1
    return field_copy


def _is_not_looked_up(*_: Any) -> bool:
    """Replace Django's `field_is_referenced`, which searches every field of every model.

    Its result only decides which related models Django renders again, and `_changed_and_referring_models` ignores it.
    """
    return False


@contextmanager
def rendering_less() -> Iterator[None]:
    """Patch Django within the block, so that migrations render fewer models."""
    methods: list[tuple[type[Any], str]] = [
        (ProjectState, "_append_option"),
        (ProjectState, "_remove_option"),
        (ProjectState, "_alter_option"),
        (triggers.AddTrigger, "state_forwards"),
        (triggers.RemoveTrigger, "state_forwards"),
    ]
    with ExitStack() as stack:
        stack.enter_context(patch.object(Field, "clone", _copy_unbound))
        stack.enter_context(patch.object(ProjectState, "_find_reload_model", _changed_and_referring_models))
        stack.enter_context(patch.object(state, "field_is_referenced", _is_not_looked_up))
        for owner, name in methods:
            stack.enter_context(patch.object(owner, name, _without_rendering(getattr(owner, name))))
        yield
