"""Indexes of large tables, built beside writers by a migration that may be cut off and run again."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState


class BuildIndexConcurrently(AddIndexConcurrently):
    """Django's `AddIndexConcurrently` that first drops what an earlier try left behind.

    PostgreSQL keeps a half-built index, and a migration with `atomic = False` keeps those that were finished before it
    was cut off: `migrate`, which gives up a lock after five seconds, could never try again.
    """

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Drop an index of this name, and build it."""
        self._ensure_not_in_transaction(schema_editor)
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(self.index.name)}")
        super().database_forwards(app_label, schema_editor, from_state, to_state)
