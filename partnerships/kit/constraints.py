"""A condition for constraints, and a migration operation that renames constraints without reading their tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Q


def exactly_one_is_set(*fields: str) -> Q:
    """Return the condition that exactly one of the fields is not null."""
    condition = Q(pk__in=[])  # never true
    for field in fields:
        other_fields = {other: None for other in fields if other != field}
        condition |= Q(**{f"{field}__isnull": False}, **other_fields)
    return condition


class RenameConstraints(Operation):
    """Rename constraints of several models of an app.

    For example, `{"plan": {"old_name": "new_name"}}` renames one constraint. Django would remove it and add it again,
    which reads the whole table while writers wait. Code of the previous version still runs with the new names, because
    no code looks up a constraint by its name.

    All constraints of an app are renamed by one operation, because Django rebuilds related models after each operation.
    """

    def __init__(self, names_by_model: Mapping[str, Mapping[str, str]]) -> None:
        """Rename the constraints of each model, which is given in lower case."""
        self.names_by_model = names_by_model

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Replace each constraint in the state by a copy with the new name."""
        for model_name, new_names in self.names_by_model.items():
            options = state.models[app_label, model_name].options
            options["constraints"] = [
                _renamed(constraint, new_names.get(constraint.name, constraint.name))
                for constraint in options["constraints"]
            ]
        state.reload_models([(app_label, model_name) for model_name in self.names_by_model])

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Rename the constraints in the database."""
        for model, old_name, new_name in self._renames(app_label, schema_editor, to_state):
            _rename(schema_editor, model, old_name, new_name)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Give the constraints their old names again."""
        for model, old_name, new_name in self._renames(app_label, schema_editor, to_state):
            _rename(schema_editor, model, new_name, old_name)

    def _renames(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, state: ProjectState
    ) -> Iterator[tuple[type[models.Model], str, str]]:
        """Yield the model, the old name and the new name of each constraint that is in this database."""
        for model_name, new_names in self.names_by_model.items():
            model = state.apps.get_model(app_label, model_name)
            if self.allow_migrate_model(schema_editor.connection.alias, model):
                for old_name, new_name in new_names.items():
                    yield model, old_name, new_name

    def describe(self) -> str:
        """Return a sentence for the output of `migrate --plan`."""
        return f"Rename constraints of {', '.join(self.names_by_model)}"

    @property
    def migration_name_fragment(self) -> str:
        """Return the end of the name that `makemigrations` gives a migration with this operation."""
        return "rename_constraints"


def _renamed(constraint: models.BaseConstraint, name: str) -> models.BaseConstraint:
    """Return a copy of a constraint with another name."""
    copy = constraint.clone()
    copy.name = name
    return copy


def _rename(schema_editor: BaseDatabaseSchemaEditor, model: type[models.Model], name: str, new_name: str) -> None:
    """Rename a constraint in the database. In the model, the constraint already has the new name."""
    constraint = next(constraint for constraint in model._meta.constraints if constraint.name == new_name)
    quote = schema_editor.quote_name
    if isinstance(constraint, models.CheckConstraint):
        schema_editor.execute(
            f"ALTER TABLE {quote(model._meta.db_table)} RENAME CONSTRAINT {quote(name)} TO {quote(new_name)}"
        )
    else:
        # A unique constraint with a condition is only an index. Other unique constraints and exclusion constraints have
        # an index of the same name, and PostgreSQL renames both together.
        schema_editor.execute(f"ALTER INDEX {quote(name)} RENAME TO {quote(new_name)}")
