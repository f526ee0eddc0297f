"""The rights of the application's database role, which reads and writes rows but cannot rewrite history."""

from __future__ import annotations

from collections.abc import Collection

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connections, transaction
from psycopg2 import sql

from housing.history import history_tables, install_history

#: Tables, besides those of row history, to which the role may only add rows.
APPEND_ONLY_TABLES = {
    "agreements_objectiveprogress",
    "agreements_termsinforce",
    "agreements_termssignature",
    "agreements_termsversion",
    "activity_change",
    "activity_event",
    "activity_export",
    "housing_figures_dataset",
    "housing_figures_figure",
    "nominations_returnrecord",
    "people_securityevent",
    "plans_version",
    "surveys_figure",
    "surveys_questionset",
    "plans_signoff",
    "plans_conditionmet",
    "plans_shareopening",
}
#: Tables from which the role may not delete rows, each with the only columns that it may update.
UPDATABLE_COLUMNS = {
    "outbox_email": (
        "params, secrets, status, message_id, address, subject, recipe, tokens, memo, attempts, deferrals, unanswered,"
        " doubts, in_doubt, available_at, claimed_at, settled_at, reason, reason_code, provider_id"
    ),
    "outbox_bounce": "address, text",
    "conversations_reportsubmission": "decision, reason, decided_at, decided_by_id, decided_for_id, submitted_by_id",
    "people_viewas": "ended_at",
    "reports_frozenreport": "organisation_id",
}
#: Views and partitions, and whether each is a view. Rights on a view or partition would bypass the rights on its table.
#: So the role may only read views, and has no rights on partitions.
_VIEWS_AND_PARTITIONS = """
SELECT c.relname, c.relkind IN ('v', 'm') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'public' AND (c.relkind IN ('v', 'm') OR c.relispartition AND c.relkind IN ('r', 'p'))
"""


def append_only_tables() -> list[str]:
    """Return the tables to which the role may only add rows, which are those of history and `APPEND_ONLY_TABLES`."""
    existing_tables = {model._meta.db_table for model in apps.get_models()}
    return sorted(set(history_tables()) | (existing_tables & APPEND_ONLY_TABLES))


_OWNERS = "SELECT tableowner, count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename = ANY(%s) GROUP BY 1"


class UnableToGrant(Exception):
    """Raised if the role owns some append-only tables, so that nothing can prevent it from rewriting them."""


def owners_of_history(*, using: str = "default") -> dict[str, int]:
    """Return the roles that own append-only tables, with the number of tables that each owns."""
    with connections[using].cursor() as cursor:
        cursor.execute(_OWNERS, [append_only_tables()])
        return dict(cursor.fetchall())


def grant(*, role: str, using: str = "default") -> None:
    """Grant `role` the application's rights in the public schema. Run this as the tables' owner.

    If one role owns all append-only tables, it is granted all rights again, because an earlier grant may have revoked
    some. PostgreSQL checks foreign keys with the owner's rights. Without them, no row could refer to such a table.

    Raises `UnableToGrant` for a role that owns only some of the tables.
    """
    name = sql.Identifier(role)
    owners = owners_of_history(using=using)
    if role in owners and len(owners) > 1:
        raise UnableToGrant(
            f"{role} owns {owners[role]} of the tables that it may only add rows to. Give them to the owner of the "
            "others: REASSIGN OWNED BY, or ALTER TABLE … OWNER TO."
        )
    if role in owners:
        with connections[using].cursor() as cursor:
            cursor.execute(sql.SQL("GRANT ALL ON ALL TABLES IN SCHEMA public TO {}").format(name))
        return

    statements = [
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name),
        sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(name),
        sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}").format(name),
        sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(name),
    ]
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        existing_tables = set(connections[using].introspection.table_names(cursor))
        statements += _table_statements(name, existing_tables)

        cursor.execute(_VIEWS_AND_PARTITIONS)
        for relation, is_view in cursor.fetchall():
            rights = "INSERT, UPDATE, DELETE" if is_view else "ALL"
            revoke = sql.SQL("REVOKE {} ON {} FROM {}")
            statements.append(revoke.format(sql.SQL(rights), sql.Identifier(relation), name))

        for function in owner_functions(using=using):
            # A backup does not contain rights. PostgreSQL lets every role call functions by default, so after a restore
            # this right must be revoked again.
            statements.append(sql.SQL("REVOKE ALL ON FUNCTION {} FROM PUBLIC").format(sql.SQL(function)))
            statements.append(sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(sql.SQL(function), name))

        for statement in statements:
            cursor.execute(statement)


def _table_statements(role: sql.Identifier, existing_tables: Collection[str]) -> list[sql.Composed]:
    """Return the statements for tables that the role may only add to, or in which it may change only some columns."""
    statements: list[sql.Composed] = []
    if "django_migrations" in existing_tables:
        statements.append(sql.SQL("REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {}").format(role))
    statements += [
        sql.SQL("REVOKE UPDATE, DELETE ON {} FROM {}").format(sql.Identifier(table), role)
        for table in append_only_tables()
        if table in existing_tables
    ]
    for table, columns in UPDATABLE_COLUMNS.items():
        if table in existing_tables:
            table_name = sql.Identifier(table)
            statements.append(sql.SQL("REVOKE UPDATE, DELETE ON {} FROM {}").format(table_name, role))
            statements.append(sql.SQL("GRANT UPDATE ({}) ON {} TO {}").format(sql.SQL(columns), table_name, role))
    return statements


def owner_functions(*, using: str = "default") -> list[str]:
    """Return the signatures, as SQL, of the functions that run as the owner.

    See partnerships/kit/owner_functions.py.
    """
    with connections[using].cursor() as cursor:
        cursor.execute(_OWNER_FUNCTIONS)
        return [signature for (signature,) in cursor.fetchall()]


_OWNER_FUNCTIONS = """
SELECT p.oid::regprocedure::text
  FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace
  JOIN pg_roles r ON r.oid = p.proowner
 WHERE n.nspname = 'public' AND p.prosecdef AND r.rolname = current_user
 ORDER BY 1
"""


def grant_after_migrate(*, using: str, **kwargs: object) -> None:
    """Create the cache table, protect history, and renew the rights of the application's role.

    This is a receiver of `post_migrate`.
    """
    call_command("createcachetable", database=using, verbosity=0)
    install_history(using=using)
    if settings.APPLICATION_DATABASE_ROLE and settings.AS_OWNER:
        grant(role=settings.APPLICATION_DATABASE_ROLE, using=using)
