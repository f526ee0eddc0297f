"""Database functions and triggers that protect row history.

Rows of history and of their contexts are only added, never changed or deleted. The application's role can turn off
neither the triggers that record history nor those that lock agreed texts.
"""

from __future__ import annotations

from django.apps import apps
from django.db import connections, transaction
from django.db.models import Model
from pghistory.models import Event
from psycopg2 import sql

#: The table of contexts. Rows are only added to it, as to the tables of events.
CONTEXTS = "pghistory_context"

#: This replaces pghistory's function, which updates the row of a context if a request adds facts to it. Ours adds
#: another row instead. For SQL by hand, which has no context, it records the database role and the program.
_ATTACH_CONTEXT = """
CREATE OR REPLACE FUNCTION _pgh_attach_context() RETURNS pghistory_context.id%TYPE AS $$
DECLARE
    session_context UUID := NULLIF(current_setting('pghistory.context_id', true), '')::uuid;
    facts JSONB := NULLIF(current_setting('pghistory.context_metadata', true), '')::jsonb;
    row_id UUID;
BEGIN
    IF session_context IS NULL OR facts IS NULL THEN
        session_context := gen_random_uuid();
        facts := jsonb_strip_nulls(jsonb_build_object(
            'role', session_user::text, 'program', NULLIF(current_setting('application_name', true), '')
        ));
        PERFORM set_config('pghistory.context_id', session_context::text, true);
        PERFORM set_config('pghistory.context_metadata', facts::text, true);
    END IF;
    row_id := md5(session_context::text || facts::text)::uuid;
    INSERT INTO pghistory_context (id, metadata, created_at, updated_at) VALUES (row_id, facts, now(), now())
        ON CONFLICT (id) DO NOTHING;
    RETURN row_id;
END;
$$ LANGUAGE plpgsql
"""

_REFUSE_CHANGE = """
CREATE OR REPLACE FUNCTION history_stands() RETURNS trigger AS $$
BEGIN
    RAISE EXCEPTION 'History stands: no % on %', TG_OP, TG_TABLE_NAME;
END;
$$ LANGUAGE plpgsql
"""

#: This replaces pgtrigger's function, with which every role can turn triggers off by a session variable. With ours,
#: only the tables' owner can. (If one role does everything, it is the owner.) The first condition is fast, because it
#: is tested for each row.
_SHOULD_IGNORE = """
CREATE OR REPLACE FUNCTION public._pgtrigger_should_ignore(trigger_name NAME) RETURNS BOOLEAN AS $$
BEGIN
    IF trigger_name::text = ANY(NULLIF(current_setting('pgtrigger.ignore', true), '')::text[]) THEN
        RETURN pg_has_role((SELECT relowner FROM pg_class WHERE oid = 'public.pghistory_context'::regclass), 'MEMBER');
    END IF;
    RETURN FALSE;
END;
$$ LANGUAGE plpgsql
"""


def is_event(model: type[Model]) -> bool:
    """Return whether a model is one of pghistory's event models."""
    return issubclass(model, Event) and model._meta.managed and not model._meta.proxy


def history_tables() -> list[str]:
    """Return the names of all tables of row history, which are the tables of events and the table of contexts."""
    return sorted({model._meta.db_table for model in apps.get_models() if is_event(model)} | {CONTEXTS})


def install_history(*, using: str = "default") -> None:
    """Install the functions and triggers. Run this as the tables' owner after each migration."""
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        existing_tables = set(connections[using].introspection.table_names(cursor))
        if CONTEXTS not in existing_tables:
            return
        cursor.execute(_ATTACH_CONTEXT)
        cursor.execute(_REFUSE_CHANGE)
        cursor.execute(_SHOULD_IGNORE)
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'history_stands'")
        tables_with_trigger = {table for (table,) in cursor.fetchall()}
        for table in history_tables():
            if table in existing_tables and table not in tables_with_trigger:
                cursor.execute(
                    sql.SQL(
                        "CREATE TRIGGER history_stands BEFORE UPDATE OR DELETE ON {} "
                        "FOR EACH ROW EXECUTE FUNCTION history_stands()"
                    ).format(sql.Identifier(table))
                )
