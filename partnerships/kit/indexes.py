"""Indexes of large tables, built without blocking writers by a migration that can be interrupted and run again."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState


class BuildIndexConcurrently(AddIndexConcurrently):
    """Django's `AddIndexConcurrently`, which first drops an index that an interrupted migration left behind.

    PostgreSQL does not remove a half-built index. And a migration with `atomic = False`, if it is interrupted, leaves
    the indexes that it had finished. `migrate`, which stops waiting for a lock after five seconds, could then never
    try again.
    """

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Drop an existing index of this name, then build the index."""
        self._ensure_not_in_transaction(schema_editor)
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(self.index.name)}")
        super().database_forwards(app_label, schema_editor, from_state, to_state)
