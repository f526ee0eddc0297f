"""SQL of the triggers that queue, in the transaction of a change, the records that must be indexed again."""

from __future__ import annotations

#: The columns that change an entry of the index, for tables that change often. Changes of other columns queue nothing.
_WORDS = {
    "people_user": "name, is_active, erased_at",
    "organisations_organisation": "name, short_name, kind, status, is_demonstration",
    "agreements_partnership": "title, purpose, audience, kind, starts_on",
    "exchange_entry": (
        "title, statement, rationale, conditions, site, audience, shared_at, partnership_id, organisation_id"
    ),
    "plans_plan": (
        "title, current_number, audience, partnership_id, period_start, period_end, last_published_at,"
        " external_reference"
    ),
    "plans_comment": "text, anchor_label, version_number, plan_id, author_id",
    "plans_draft": "content, based_on, plan_id",
    "commitments_commitment": "text, reference, giver_id, giver_name, receiver_id, partnership_id, due_on",
    "conversations_agendaitem": "title, detail, subject_kind, dropped_at, meeting_id",
    "conversations_report": "party_id, starts_on, ends_on, round_id",
}


def trigger_name(column: str) -> str:
    """Return the name of the trigger, and of its function, that follows "table.column"."""
    return f"search_{column.replace('.', '_')}"[:63]


def create_trigger_sql(column: str) -> str:
    """Return SQL that queues the value of "table.column" whenever a row is inserted, updated or deleted.

    The SQL can run more than once.
    """
    table, _, key = column.partition(".")
    only = f" OF {_WORDS[table]}" if table in _WORDS else ""
    return f"""
CREATE OR REPLACE FUNCTION {trigger_name(column)}() RETURNS trigger LANGUAGE plpgsql AS $follow$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO search_stale (source_column, value) SELECT '{column}', OLD.{key} WHERE OLD.{key} IS NOT NULL;
    END IF;
    IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND NEW.{key} IS DISTINCT FROM OLD.{key}) THEN
        INSERT INTO search_stale (source_column, value) SELECT '{column}', NEW.{key} WHERE NEW.{key} IS NOT NULL;
    END IF;
    RETURN NULL;
END $follow$;
CREATE OR REPLACE TRIGGER {trigger_name(column)} AFTER INSERT OR DELETE OR UPDATE{only} ON {table}
    FOR EACH ROW EXECUTE FUNCTION {trigger_name(column)}();
"""  # noqa: S608 - names of ours


def drop_trigger_sql(column: str) -> str:
    """Return SQL that drops the trigger of "table.column" and its function."""
    return f"DROP TRIGGER {trigger_name(column)} ON {column.partition('.')[0]}; DROP FUNCTION {trigger_name(column)}();"
