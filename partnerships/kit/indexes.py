"""A migration operation that builds an index of a large table without blocking writers, and can be run again."""

from __future__ import annotations

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState


class BuildIndexConcurrently(AddIndexConcurrently):
    """Build an index without blocking writers, after dropping an index that an interrupted migration left behind.

    For example, `migrate` stops waiting for a lock after five seconds. PostgreSQL does not remove the half-built index,
    and a migration with `atomic = False` also leaves the indexes that it had finished. Without the drop, the next
    `migrate` would fail because the index exists.
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
