"""Move all emails of digests to the outbox, with their ids and Message-IDs. Digests now read them through a view.

Bounces, suppressed addresses, shared parts and counts for throttling move too. The migration cannot be reversed: emails
recorded since have ids that the old table cannot store.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

MOVE = """
INSERT INTO outbox_emailpart (id, digest, body, used_at) SELECT id, digest, body, used_at FROM digests_piece;
SELECT setval(pg_get_serial_sequence('outbox_emailpart', 'id'), (SELECT GREATEST(max(id), 1) FROM outbox_emailpart));

INSERT INTO outbox_email (id, lane, kind, person_id, sender_id, params, status, message_id, address, subject, recipe,
                          memo, attempts, deferrals, unanswered, in_doubt, available_at, created_at, claimed_at,
                          settled_at, reason, provider_id, repeat_of_id)
SELECT d.id, CASE d.kind WHEN 'digest' THEN 2 ELSE 1 END, 'digests.' || d.kind, d.recipient_id, s.added_for_id,
       CASE WHEN d.subscription_id IS NULL THEN '{}' ELSE jsonb_build_object('subscription', d.subscription_id) END,
       CASE d.status WHEN 'bounced' THEN 'sent' ELSE d.status END, d.message_id, d.address, d.subject, d.recipe,
       d.waiting, d.attempts, d.deferrals, d.unanswered, d.in_doubt, d.available_at, d.created_at, d.claimed_at,
       CASE WHEN d.status IN ('queued', 'sending') THEN NULL ELSE COALESCE(d.settled_at, d.created_at) END,
       d.reason, d.provider_id, d.repeat_of_id
  FROM digests_delivery d LEFT JOIN digests_subscription s ON s.id = d.subscription_id;

INSERT INTO outbox_legacymessageid (message_id, email_id)
SELECT message_id, id FROM digests_delivery WHERE message_id <> '' AND NOT starts_with(message_id, '<' || id || '.')
ON CONFLICT DO NOTHING;

INSERT INTO digests_opendigest (recipient_id, repeat_of_id, email_id)
SELECT recipient_id, COALESCE(repeat_of_id, 0), id FROM digests_delivery
 WHERE kind = 'digest' AND status IN ('queued', 'sending');

INSERT INTO digests_slot (recipient_id, slot_on, email_id)
SELECT recipient_id, slot_on, id FROM digests_delivery
 WHERE slot_on IS NOT NULL AND slot_on > current_date - 7;

INSERT INTO outbox_bounce (id, kind, address, email_id, person_id, at, text)
SELECT b.id, b.kind, b.address, COALESCE(b.delivery_id, 0), d.recipient_id, b.at, b.text
  FROM digests_bounce b LEFT JOIN digests_delivery d ON d.id = b.delivery_id;

INSERT INTO outbox_reportseen (event_id, seen_at)
SELECT event_id, max(at) FROM (
    SELECT event_id, at FROM digests_bounce WHERE event_id <> '' UNION ALL SELECT event_id, read_at FROM digests_mailread
) seen GROUP BY event_id;

INSERT INTO outbox_sendcount (domain, minute, count) SELECT domain, minute, count FROM digests_pace;

ALTER TABLE outbox_suppression DISABLE TRIGGER USER;
INSERT INTO outbox_suppression (id, address, reason, since, set_by_id, released_at)
SELECT id, address, reason, since, set_by_id, released_at FROM digests_suppression;
ALTER TABLE outbox_suppression ENABLE TRIGGER USER;
SELECT setval(pg_get_serial_sequence('outbox_suppression', 'id'), (SELECT GREATEST(max(id), 1) FROM outbox_suppression));
INSERT INTO outbox_suppressionevent (pgh_id, pgh_created_at, pgh_label, id, reason, since, set_by_id, released_at,
                                     pgh_context_id, pgh_obj_id)
SELECT pgh_id, pgh_created_at, pgh_label, id, reason, since, set_by_id, released_at, pgh_context_id, pgh_obj_id
  FROM digests_suppressionevent;
SELECT setval(pg_get_serial_sequence('outbox_suppressionevent', 'pgh_id'),
              (SELECT GREATEST(max(pgh_id), 1) FROM outbox_suppressionevent));
SET CONSTRAINTS ALL IMMEDIATE;
"""

VIEW = """
DROP TABLE digests_delivery;
CREATE VIEW digests_delivery AS
SELECT e.id, e.person_id, e.kind, e.params, (e.params ->> 'subscription')::bigint AS subscription_id, e.message_id,
       e.status, e.address, e.subject, e.recipe, e.attempts, e.in_doubt, e.available_at, e.created_at, e.settled_at,
       e.reason, e.repeat_of_id,
       EXISTS (SELECT 1 FROM outbox_bounce b WHERE b.email_id = e.id AND b.kind <> 'delayed') AS bounced
  FROM outbox_email e
 WHERE e.kind IN ('digests.digest', 'digests.confirmation', 'digests.links') AND e.status <> 'dropped';

-- However a digest is settled: the next may be chosen, and one that had nothing to say gives its date back.
CREATE FUNCTION digests_email_settled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM digests_opendigest WHERE email_id = NEW.id;
    IF NEW.status = 'dropped' THEN
        DELETE FROM digests_slot WHERE email_id = NEW.id;
    ELSIF NEW.status <> 'sent' THEN
        -- What it said of who holds their address has not arrived.
        UPDATE digests_preference SET introduced_at = NULL
         WHERE person_id = NEW.person_id AND introduced_at >= NEW.created_at;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER digests_email_settled AFTER UPDATE ON outbox_email FOR EACH ROW
    WHEN (OLD.settled_at IS NULL AND NEW.settled_at IS NOT NULL AND NEW.kind IN ('digests.digest', 'digests.confirmation'))
    EXECUTE FUNCTION digests_email_settled();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("digests", "0017_a_no_to_one_plan"),
        ("outbox", "0001_create_outbox"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="OpenDigest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "repeat_of_id",
                    models.BigIntegerField(db_default=0, default=0, help_text="0: the digest itself."),
                ),
                ("email_id", models.BigIntegerField(unique=True)),
                (
                    "recipient",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("recipient", "repeat_of_id"), name="one_open_digest_of_each")
                ]
            },
        ),
        migrations.CreateModel(
            name="Slot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slot_on", models.DateField()),
                ("email_id", models.BigIntegerField(db_index=True)),
                (
                    "recipient",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("recipient", "slot_on"), name="one_digest_a_date")]
            },
        ),
        migrations.AlterField(
            "deliveryitem",
            "delivery",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="items",
                to="digests.delivery",
            ),
        ),
        migrations.AlterField(
            "matchtold",
            "delivery",
            models.ForeignKey(
                blank=True,
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="matches",
                to="digests.delivery",
            ),
        ),
        migrations.RunSQL(MOVE),
        migrations.DeleteModel("Bounce"),
        migrations.DeleteModel("MailRead"),
        migrations.DeleteModel("Pace"),
        migrations.DeleteModel("Piece"),
        migrations.DeleteModel("SuppressionEvent"),
        migrations.DeleteModel("Suppression"),
        migrations.AlterModelOptions("delivery", {"managed": False, "verbose_name_plural": "deliveries"}),
        migrations.AlterModelTable("delivery", "digests_delivery"),
        migrations.RunSQL(VIEW),
    ]
