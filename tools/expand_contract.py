"""`make check`: find migrations after which code of the previous version could not run.

While an upgrade migrates, and until every process has restarted, old code reads and writes the new tables. So a
migration must not remove a column that old code uses, and must not require a value that old code does not write.

If a migration does so nevertheless, it states why this is safe. For example, `safe_beside_old_code = "Nothing has read
it since 0.2.0."`. Migrations from before this check are named in housing/upgrades.py. docs/upgrades.md explains how to
change a column in two versions.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any

import django
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db.migrations import Migration, operations
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED, Field

#: Large tables, on which building an index would block writers for seconds.
LARGE = frozenset(
    {
        *("activity.change", "activity.event", "conversations.side", "digests.delivery", "digests.deliveryitem"),
        *("digests.inboxitem", "digests.subscription", "organisations.organisation", "outbox.bounce", "outbox.email"),
        *("people.securityevent", "plans.version", "search.searchentry"),
    }
)
#: SQL that removes or renames something, rejects rows that old code writes, or locks a table for long.
_SQL = re.compile(
    r"\b(DROP\s+(?:TABLE|COLUMN|VIEW|FUNCTION)|RENAME\s|SET\s+NOT\s+NULL|ALTER\s+COLUMN\s+\S+\s+(?:SET\s+DATA\s+)?TYPE"
    r"|CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?!\s*CONCURRENTLY)|LOCK\s+TABLE|TRUNCATE|DROP\s+DEFAULT"
    r"|ADD\s+CONSTRAINT(?!.*\bNOT\s+VALID\b))",
    re.IGNORECASE | re.DOTALL,
)


def operation_faults(app: str, given: Iterable[Operation], state: ProjectState) -> Iterator[str]:
    """Yield a sentence for each operation after which old code could not run.

    `state` is the state of the models before the operations. It is changed to the state after them.
    """
    created: set[str] = set()
    for one in given:
        if isinstance(one, operations.SeparateDatabaseAndState):
            yield from operation_faults(app, one.database_operations, state.clone())
        else:
            yield from _faults(app, one, state, created)
        if isinstance(one, operations.CreateModel):
            created.add(one.name_lower)
        one.state_forwards(app, state)


def _faults(app: str, one: Operation, state: ProjectState, created: set[str]) -> Iterator[str]:
    """Yield in words why code of the previous version could not run after this operation."""
    model = str(getattr(one, "model_name_lower", ""))
    if model and model in created:
        return  # old code does not know the table
    match one:
        case operations.RemoveField():
            yield f"removes {model}.{one.name}, which old code still reads"
        case operations.DeleteModel():
            yield f"deletes {one.name}, which old code still reads"
        case operations.RenameField() | operations.RenameModel() | operations.AlterModelTable():
            yield f"{one.describe()}: old code knows the old name. Add the new one, fill both, drop the old one later"
        case operations.AddField() if not _written_without(one.field) and not _is_history(app, model, state):
            yield f"adds {model}.{one.name}, which old code does not write: let it be null, or give it a db_default"
        case operations.AlterField():
            before = state.models[app, model].fields[one.name_lower]
            yield from (f"alters {model}.{one.name}: {fault}" for fault in _alterations(before, one.field))
        case operations.AddIndex() if type(one) is operations.AddIndex and f"{app}.{model}" in LARGE:
            yield f"indexes the large table {model} while writers wait: use BuildIndexConcurrently and atomic = False"
        case AddIndexConcurrently() if type(one) is AddIndexConcurrently:
            yield f"cannot be tried again if it is cut off while it indexes {model}: use BuildIndexConcurrently"
        case operations.AddConstraint() if type(one) is operations.AddConstraint:
            yield (
                f"adds {one.constraint.name} to {model}: rows that old code writes may break it. Use "
                "AddConstraintNotValid, or say why they cannot"
            )
        case operations.AlterUniqueTogether() if _pairs(one.unique_together) - _pairs(
            state.models[app, one.name_lower].options.get("unique_together")
        ):
            yield f"makes fields of {one.name} unique together: rows that old code writes may not be"
        case operations.RunSQL():
            for statement in _statements(one.sql):
                for found in _SQL.findall(statement):
                    yield f"runs {' '.join(found.split())} …"


def _is_history(app: str, model: str, state: ProjectState) -> bool:
    """Return whether triggers of the database write the rows. The same migration also changes these triggers."""
    return model.endswith("event") and (app, model.removesuffix("event")) in state.models


def _written_without(field: Field[Any, Any]) -> bool:
    """Return whether a row can be written by code that does not know the field."""
    return bool(field.null or field.many_to_many or field.primary_key or field.db_default is not NOT_PROVIDED)


def _alterations(before: Field[Any, Any], after: Field[Any, Any]) -> Iterator[str]:
    if before.null and not after.null:
        yield "old code still writes NULL"
    if before.db_default is not NOT_PROVIDED and after.db_default is NOT_PROVIDED and not after.null:
        yield "old code leaves it to the database's default"
    if before.get_internal_type() != after.get_internal_type():
        yield "its type changes"
    if before.max_length and after.max_length and after.max_length < before.max_length:
        yield f"old code still writes up to {before.max_length} characters"
    if not before.unique and after.unique:
        yield "rows that old code writes may not be unique"


def _pairs(unique_together: Iterable[Iterable[str]] | None) -> set[tuple[str, ...]]:
    return {tuple(names) for names in unique_together or ()}


def _statements(sql: object) -> Iterator[str]:
    if isinstance(sql, str):
        yield sql
    elif isinstance(sql, list | tuple):
        for one in sql:
            yield one[0] if isinstance(one, list | tuple) else str(one)


def _unrepeatable(migration: Migration) -> Iterator[str]:
    """Yield in words each operation that cannot be done a second time.

    A migration without a transaction starts from its beginning again if it was interrupted.
    """
    if migration.atomic:
        return
    for one in migration.operations:
        if not isinstance(one, AddIndexConcurrently | operations.RunSQL | operations.RunPython):
            yield f"cannot be tried again if it is cut off: {one.describe()}. Put that into a migration before this one"


def migration_faults(migration: Migration, state: ProjectState) -> list[str]:
    """Return the faults of a migration.

    If the migration states why it is safe for old code, these are only the operations that cannot be repeated.
    """
    faults = [*_unrepeatable(migration)]
    if not getattr(migration, "safe_beside_old_code", ""):
        faults += operation_faults(migration.app_label, migration.operations, state)
    return faults


def main() -> int:
    """Check every migration that is newer than this check, and return how many have faults."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")
    django.setup()
    from django.db.migrations.loader import MigrationLoader  # noqa: PLC0415 - needs the apps

    from housing.upgrades import known_migrations, old_code_can_run  # noqa: PLC0415 - the same

    new = sorted(one for one in known_migrations() if old_code_can_run(*one))
    if not new:
        return 0
    loader = MigrationLoader(None)
    failed = 0
    for node in new:
        state = loader.project_state([node], at_end=False)
        faults = migration_faults(loader.graph.nodes[node], state)
        failed += bool(faults)
        for fault in faults:
            sys.stderr.write(f"{node[0]}/{node[1]}: {fault}.\n")
    if failed:
        sys.stderr.write("See docs/upgrades.md. If old code does not mind: safe_beside_old_code = 'why'.\n")
    return failed


if __name__ == "__main__":
    sys.exit(main())
