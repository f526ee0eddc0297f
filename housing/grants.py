"""What the application's database role may do: it reads and writes rows, and can rewrite no history."""

from __future__ import annotations

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connections, transaction
from django.db.models import Model
from pghistory.models import Event
from psycopg2 import sql


def append_only_tables() -> list[str]:
    """Tables whose rows are added and never altered: every event table of row history, and those the settings name."""
    existing = {model._meta.db_table for model in apps.get_models()}
    events = {model._meta.db_table for model in apps.get_models() if is_event(model)}
    return sorted(events | (existing & set(settings.APPEND_ONLY_TABLES)))


def is_event(model: type[Model]) -> bool:
    """Whether a model is a concrete table of pghistory's events."""
    return issubclass(model, Event) and model._meta.managed and not model._meta.proxy


def grant(*, role: str, using: str = "default") -> None:
    """Give `role` the rights of the application on every table of the public schema; run as the tables' owner."""
    name = sql.Identifier(role)
    statements = [
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name),
        sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(name),
        sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}").format(name),
        sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(name),
    ]
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        present = set(connections[using].introspection.table_names(cursor))
        if "django_migrations" in present:
            statements.append(sql.SQL("REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {}").format(name))
        statements += [
            sql.SQL("REVOKE UPDATE, DELETE ON {} FROM {}").format(sql.Identifier(table), name)
            for table in append_only_tables()
            if table in present
        ]
        for statement in statements:
            cursor.execute(statement)


def grant_after_migrate(*, using: str, **kwargs: object) -> None:
    """The receiver of `post_migrate`: the table of counters, then the rights, where owner and application are two."""
    call_command("createcachetable", database=using)
    if settings.APPLICATION_DATABASE_ROLE and settings.AS_OWNER:
        grant(role=settings.APPLICATION_DATABASE_ROLE, using=using)
