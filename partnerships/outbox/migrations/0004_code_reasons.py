"""Give emails and suppressed addresses a code beside the reason that people read, and index emails by the code."""

from django.db import migrations, models

# Few rows change: those not composed have an index, and those that may have arrived are among the failed. The guard
# lets this pass as long as it does not know the column; then it learns it.
EMAILS = """
ALTER TABLE outbox_email ADD COLUMN reason_code varchar(20) NOT NULL DEFAULT '';

UPDATE outbox_email SET reason_code = 'not_composed' WHERE reason LIKE 'It could not be written%';
UPDATE outbox_email SET reason_code = 'may_have_arrived'
 WHERE status = 'failed' AND starts_with(reason, 'It may have arrived');

DROP INDEX outbox_email_not_composed;
CREATE INDEX outbox_email_not_composed ON outbox_email (id) WHERE reason_code = 'not_composed';

CREATE OR REPLACE FUNCTION outbox_email_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'The ledger stands: no DELETE on outbox_email';
    END IF;
    IF (OLD.id, OLD.lane, OLD.kind, OLD.person_id, OLD.created_at, OLD.sender_id, OLD.repeat_of_id)
       IS DISTINCT FROM (NEW.id, NEW.lane, NEW.kind, NEW.person_id, NEW.created_at, NEW.sender_id, NEW.repeat_of_id)
    THEN
        RAISE EXCEPTION 'The ledger stands: an email stays what it is';
    END IF;
    IF OLD.settled_at IS NULL THEN
        IF NEW.settled_at IS NOT NULL THEN
            NEW.secrets := NULL;
            NEW.tokens := NULL;
        END IF;
        RETURN NEW;
    END IF;
    IF (OLD.status, OLD.settled_at, OLD.message_id, OLD.attempts, OLD.deferrals, OLD.unanswered, OLD.doubts,
        OLD.in_doubt, OLD.available_at, OLD.claimed_at, OLD.provider_id{old})
       IS DISTINCT FROM
       (NEW.status, NEW.settled_at, NEW.message_id, NEW.attempts, NEW.deferrals, NEW.unanswered, NEW.doubts,
        NEW.in_doubt, NEW.available_at, NEW.claimed_at, NEW.provider_id{new})
       OR (NEW.recipe IS NOT NULL AND NEW.recipe IS DISTINCT FROM OLD.recipe)
       OR (NEW.memo IS NOT NULL AND NEW.memo IS DISTINCT FROM OLD.memo)
       OR NEW.secrets IS NOT NULL OR NEW.tokens IS NOT NULL
       OR (NEW.params <> '{{}}' AND NEW.params IS DISTINCT FROM OLD.params)
       OR (NEW.address <> '' AND NEW.address IS DISTINCT FROM OLD.address)
       OR (NEW.subject <> '' AND NEW.subject IS DISTINCT FROM OLD.subject)
       OR (NEW.reason <> '' AND NEW.reason IS DISTINCT FROM OLD.reason)
    THEN
        RAISE EXCEPTION 'The ledger stands: of a settled email only personal data is cleared';
    END IF;
    RETURN NEW;
END
$$;
"""

# Reasons stay as they are, so that the old code finds them.
EMAILS_BACK = """
DROP INDEX outbox_email_not_composed;
CREATE INDEX outbox_email_not_composed ON outbox_email (id) WHERE reason LIKE 'It could not be written%';
{guard}
ALTER TABLE outbox_email DROP COLUMN reason_code;
"""

# History does not follow the cause, so this writes none.
SUPPRESSIONS = """
UPDATE outbox_suppression SET cause = CASE
    WHEN starts_with(reason, 'The mail server refused the address: ') THEN 'refused'
    WHEN starts_with(reason, 'They marked our mail as unwanted: ') THEN 'complaint'
    WHEN starts_with(reason, 'Mail came back for good: ') THEN 'bounced'
    WHEN reason ~ '^Mail came back [0-9]+ times in ' THEN 'bounced_often'
    ELSE 'other' END;
"""


def _sql(template, *, old="", new=""):
    return template.format(old=old, new=new)


GUARD = EMAILS[EMAILS.index("CREATE OR REPLACE FUNCTION") :]


class Migration(migrations.Migration):
    dependencies = [
        ("outbox", "0003_index_what_pages_ask_for"),
        # It moves emails and suppressed addresses here.
        ("digests", "0018_move_emails_to_outbox"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    _sql(EMAILS, old=", OLD.reason_code", new=", NEW.reason_code"),
                    EMAILS_BACK.format(guard=_sql(GUARD)),
                )
            ],
            state_operations=[
                migrations.AddField(
                    "email",
                    "reason_code",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("not_composed", "It could not be written"),
                            ("may_have_arrived", "It may have arrived"),
                        ],
                        help_text="What code asks for.",
                        max_length=20,
                    ),
                )
            ],
        ),
        migrations.AddField(
            "suppression",
            "cause",
            models.CharField(
                choices=[
                    ("refused", "The mail server refused the address"),
                    ("bounced", "Mail came back for good"),
                    ("bounced_often", "Mail came back too often"),
                    ("complaint", "They marked our mail as unwanted"),
                    ("other", "Something else"),
                ],
                default="other",
                max_length=20,
            ),
        ),
        migrations.RunSQL(SUPPRESSIONS, migrations.RunSQL.noop),
    ]
