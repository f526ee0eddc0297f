"""Create triggers that queue changed records for the index, and queue all existing records."""

from django.db import migrations

from partnerships.search.triggers import create_trigger_sql, drop_trigger_sql

COLUMNS = (
    "agreements_document.id",
    "agreements_holder.id",
    "agreements_objective.id",
    "agreements_partnership.id",
    "agreements_partnership_areas.partnership_id",
    "agreements_party.partnership_id",
    "agreements_post.id",
    "agreements_termsversion.partnership_id",
    "commitments_commitment.id",
    "conversations_conversation.id",
    "conversations_meeting.id",
    "conversations_point.conversation_id",
    "conversations_report.id",
    "conversations_reportsubmission.report_id",
    "conversations_side.conversation_id",
    "developer_agreements_developeragreement.id",
    "exchange_addressee.entry_id",
    "exchange_entry.id",
    "exchange_entry_areas.entry_id",
    "nominations_nominationsreturn.id",
    "organisations_areaserved.organisation_id",
    "organisations_identifier.organisation_id",
    "organisations_membership.id",
    "organisations_merge.merged_id",
    "organisations_organisation.id",
    "organisations_organisationname.organisation_id",
    "people_user.id",
    "plans_pastpartnership.plan_id",
    "plans_plan.id",
    "plans_planowner.plan_id",
    "plans_share.plan_id",
)
# Each source and the table of its records.
TABLES = {
    "holder": "agreements_holder",
    "post": "agreements_post",
    "person": "organisations_membership",
    "partnership": "agreements_partnership",
    "terms": "agreements_termsversion",
    "objective": "agreements_objective",
    "plan": "plans_plan",
    "document": "agreements_document",
    "entry": "exchange_entry",
    "commitment": "commitments_commitment",
    "agreement": "developer_agreements_developeragreement",
    "conversation": "conversations_conversation",
    "meeting": "conversations_meeting",
    "report": "conversations_report",
    "return": "nominations_nominationsreturn",
    "organisation": "organisations_organisation",
}


class Migration(migrations.Migration):
    # Each trigger locks its table for a moment. In one transaction they would lock 31 tables until all rows are queued.
    # Every step may run again.
    atomic = False

    dependencies = [
        ("search", "0001_index"),
        ("organisations", "0023_new_codes"),
        ("people", "0010_lead_times"),
        ("agreements", "0028_vacancies_without_nominees"),
        ("plans", "0017_starters_of_brownfield_land"),
        ("exchange", "0015_words_for_search"),
        ("developer_agreements", "0001_take_tables_from_transfer"),
        ("commitments", "0010_drop_reminder_choice"),
        ("conversations", "0011_settle_what_ended_before"),
        ("nominations", "0002_returns_of_lettings"),
    ]

    operations = [
        *(migrations.RunSQL(create_trigger_sql(column), drop_trigger_sql(column)) for column in COLUMNS),
        *(
            migrations.RunSQL(
                f"INSERT INTO search_stale (source_column, value) SELECT '{code}', id FROM {table} ORDER BY id",  # noqa: S608 - names of ours
                f"DELETE FROM search_stale WHERE source_column = '{code}'",  # noqa: S608 - names of ours
            )
            for code, table in TABLES.items()
        ),
    ]
