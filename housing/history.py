"""Database functions and triggers that protect row history.

Contexts are only added, and no row is rewritten.

Nor does the application's role turn off triggers that record history or lock what is agreed.
"""

from __future__ import annotations

from django.apps import apps
from django.db import connections, transaction
from django.db.models import Model
from pghistory.models import Event
from psycopg2 import sql

#: Append-only, like the event tables.
CONTEXTS = "pghistory_context"

#: pghistory's own function updates a context when a request adds to it. This one adds a row instead, so that contexts
#: are never updated. For SQL by hand, which has no context, it records the database role and the program.
_ATTACH = """
CREATE OR REPLACE FUNCTION _pgh_attach_context() RETURNS pghistory_context.id%TYPE AS $$
DECLARE
    told UUID := NULLIF(current_setting('pghistory.context_id', true), '')::uuid;
    facts JSONB := NULLIF(current_setting('pghistory.context_metadata', true), '')::jsonb;
    number UUID;
BEGIN
    IF told IS NULL OR facts IS NULL THEN
        told := gen_random_uuid();
        facts := jsonb_strip_nulls(jsonb_build_object(
            'role', session_user::text, 'program', NULLIF(current_setting('application_name', true), '')
        ));
        PERFORM set_config('pghistory.context_id', told::text, true);
        PERFORM set_config('pghistory.context_metadata', facts::text, true);
    END IF;
    number := md5(told::text || facts::text)::uuid;
    INSERT INTO pghistory_context (id, metadata, created_at, updated_at) VALUES (number, facts, now(), now())
        ON CONFLICT (id) DO NOTHING;
    RETURN number;
END;
$$ LANGUAGE plpgsql
"""

_STANDS = """
CREATE OR REPLACE FUNCTION history_stands() RETURNS trigger AS $$
BEGIN
    RAISE EXCEPTION 'History stands: no % on %', TG_OP, TG_TABLE_NAME;
END;
$$ LANGUAGE plpgsql
"""

#: pgtrigger's own function lets everybody turn triggers off by a session variable. Ours lets the tables' owner, and
#: where one role does everything, that role. The condition comes first and alone: it is asked for each row.
_IGNORED = """
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
    """Whether a model is one of pghistory's event tables."""
    return issubclass(model, Event) and model._meta.managed and not model._meta.proxy


def history_tables() -> list[str]:
    """The names of all event tables and of the table of contexts."""
    return sorted({model._meta.db_table for model in apps.get_models() if is_event(model)} | {CONTEXTS})


def install_history(*, using: str = "default") -> None:
    """Install the functions and triggers.

    Run as the tables' owner after each migration.
    """
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        present = set(connections[using].introspection.table_names(cursor))
        if CONTEXTS not in present:
            return
        cursor.execute(_ATTACH)
        cursor.execute(_STANDS)
        cursor.execute(_IGNORED)
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'history_stands'")
        guarded = {row[0] for row in cursor.fetchall()}
        for table in history_tables():
            if table in present and table not in guarded:
                cursor.execute(
                    sql.SQL(
                        "CREATE TRIGGER history_stands BEFORE UPDATE OR DELETE ON {} "
                        "FOR EACH ROW EXECUTE FUNCTION history_stands()"
                    ).format(sql.Identifier(table))
                )
