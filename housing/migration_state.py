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
from django.db.migrations.state import ModelState, ProjectState
from django.db.models import Field, ManyToManyField, Model
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
    affected_models = [*_referring_models(model), *model.__subclasses__()]
    return {(app_label, model_name)} | {
        (affected._meta.app_label, affected._meta.model_name) for affected in affected_models
    }


def _referring_models(model: type[Model]) -> list[type[Model]]:
    """Return the models with a foreign key or a many-to-many field to this model or to one of its parents.

    Django's `get_fields` would find the same models, but it first connects all models with each other again.
    """

    def concrete_label(some_model: type[Model]) -> str:
        return (some_model._meta.concrete_model or some_model)._meta.label

    # Labels are compared, because a field may refer to an older class of the model, which has the same label.
    labels = {concrete_label(parent) for parent in (model, *model._meta.all_parents)}

    def refers(field: Field[Any, Any] | ManyToManyField[Any, Any]) -> bool:
        target = field.remote_field.model if field.remote_field else None
        # A model that is not rendered yet is a string.
        return target is not None and not isinstance(target, str) and concrete_label(target) in labels

    return [
        candidate
        for candidate in model._meta.apps.get_models(include_auto_created=True)
        if any(map(refers, (*candidate._meta.local_fields, *candidate._meta.local_many_to_many)))
    ]


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


def _copy_unchecked(self: ModelState) -> ModelState:
    """Copy a model's state without checking its fields again. This replaces `clone`.

    Before each operation Django copies the states of all models, so the checks took more time than the copies.
    """
    model_copy = ModelState.__new__(ModelState)
    model_copy.app_label = self.app_label
    model_copy.name = self.name
    model_copy.fields = self.fields.copy()
    model_copy.options = self.options.copy()
    model_copy.bases = self.bases
    model_copy.managers = self.managers.copy()
    return model_copy


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
        stack.enter_context(patch.object(ModelState, "clone", _copy_unchecked))
        stack.enter_context(patch.object(ProjectState, "_find_reload_model", _changed_and_referring_models))
        stack.enter_context(patch.object(state, "field_is_referenced", _is_not_looked_up))
        for owner, name in methods:
            stack.enter_context(patch.object(owner, name, _without_rendering(getattr(owner, name))))
        yield
