"""Create the outbox: emails and bounces, partitioned by month, and the small tables beside them."""

import django.db.models.deletion
import django.db.models.functions.text
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

# Numbers begin with their month (12 times the years since 2000, plus the month from 0), shifted by 40 bits: a number
# alone says in which partition its row lies. Only the owner may make and drop partitions, so the application calls
# these functions, which say themselves what may be dropped.
TABLES = """
CREATE SEQUENCE outbox_number_seq;

CREATE FUNCTION outbox_month(moment timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT ((extract(year FROM moment AT TIME ZONE 'UTC') - 2000) * 12
            + extract(month FROM moment AT TIME ZONE 'UTC') - 1)::bigint
$$;

CREATE FUNCTION outbox_next_id() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT (outbox_month(clock_timestamp()) << 40) + nextval('outbox_number_seq')
$$;

CREATE TABLE outbox_email (
    id bigint NOT NULL DEFAULT outbox_next_id() PRIMARY KEY,
    lane smallint NOT NULL CHECK (lane BETWEEN 0 AND 2),
    kind varchar(40) NOT NULL,
    person_id bigint,
    sender_id bigint,
    params jsonb NOT NULL DEFAULT '{}',
    secrets jsonb,
    status varchar(10) NOT NULL DEFAULT 'queued',
    message_id varchar(120) NOT NULL DEFAULT '',
    address varchar(254) NOT NULL DEFAULT '',
    subject varchar(400) NOT NULL DEFAULT '',
    recipe jsonb,
    tokens jsonb,
    memo jsonb,
    attempts smallint NOT NULL DEFAULT 0,
    deferrals smallint NOT NULL DEFAULT 0,
    unanswered smallint NOT NULL DEFAULT 0,
    doubts smallint NOT NULL DEFAULT 0,
    in_doubt boolean NOT NULL DEFAULT false,
    available_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    claimed_at timestamptz,
    settled_at timestamptz,
    reason varchar(500) NOT NULL DEFAULT '',
    provider_id varchar(200) NOT NULL DEFAULT '',
    repeat_of_id bigint,
    CONSTRAINT settled_email_has_a_time CHECK ((status IN ('queued', 'sending')) = (settled_at IS NULL))
) PARTITION BY RANGE (id);
CREATE INDEX outbox_email_open ON outbox_email (lane, available_at, id) WHERE status IN ('queued', 'sending');
CREATE INDEX outbox_email_person ON outbox_email (person_id, created_at DESC);
CREATE INDEX outbox_email_sender ON outbox_email (sender_id, id DESC) WHERE sender_id IS NOT NULL;
CREATE INDEX outbox_email_provider ON outbox_email (provider_id) WHERE provider_id <> '';
CREATE INDEX outbox_email_settled ON outbox_email (settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX outbox_email_stuck ON outbox_email (id) WHERE status IN ('queued', 'sending', 'failed') AND reason <> '';
CREATE INDEX outbox_email_body ON outbox_email (created_at) WHERE recipe IS NOT NULL AND settled_at IS NOT NULL;
CREATE INDEX outbox_email_subscription ON outbox_email (((params ->> 'subscription')::bigint), created_at)
    WHERE kind = 'digests.confirmation';

CREATE TABLE outbox_bounce (
    id bigint NOT NULL DEFAULT outbox_next_id() PRIMARY KEY,
    kind varchar(10) NOT NULL,
    address varchar(254) NOT NULL DEFAULT '',
    email_id bigint NOT NULL,
    person_id bigint,
    at timestamptz NOT NULL,
    text varchar(500) NOT NULL DEFAULT ''
) PARTITION BY RANGE (id);
CREATE INDEX outbox_bounce_address ON outbox_bounce (upper(address), at DESC);
CREATE INDEX outbox_bounce_email ON outbox_bounce (email_id);
CREATE INDEX outbox_bounce_person ON outbox_bounce (person_id);

CREATE FUNCTION outbox_make_partitions(moment timestamptz, months int) RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    made int := 0;
    first bigint := outbox_month(LEAST(moment, clock_timestamp()));
    parent text;
    wanted text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('outbox_make_partitions'));
    FOREACH parent IN ARRAY ARRAY['outbox_email', 'outbox_bounce'] LOOP
        wanted := parent || '_before';
        IF to_regclass('public.' || wanted) IS NULL AND NOT EXISTS (
            SELECT 1 FROM pg_inherits WHERE inhparent = ('public.' || parent)::regclass) THEN
            EXECUTE format('CREATE TABLE public.%I PARTITION OF public.%I FOR VALUES FROM (MINVALUE) TO (%s)',
                           wanted, parent, first << 40);
        END IF;
        FOR month IN outbox_month(clock_timestamp())
                     .. outbox_month(GREATEST(moment, clock_timestamp())) + LEAST(months, 24) LOOP
            wanted := format('%s_%s_%s', parent, 2000 + month / 12, lpad((month % 12 + 1)::text, 2, '0'));
            IF to_regclass('public.' || wanted) IS NULL THEN
                EXECUTE format('CREATE TABLE public.%I PARTITION OF public.%I FOR VALUES FROM (%s) TO (%s)',
                               wanted, parent, month::bigint << 40, (month + 1)::bigint << 40);
                made := made + 1;
            END IF;
        END LOOP;
    END LOOP;
    RETURN made;
END
$$;

-- Three years: docs/privacy.md. A partition with an email that is still to leave stays.
CREATE FUNCTION outbox_drop_partitions() RETURNS int
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    dropped int := 0;
    oldest bigint := outbox_month(clock_timestamp() - interval '3 years');
    part record;
    is_open boolean;
BEGIN
    FOR part IN
        SELECT c.relname, p.relname AS parent FROM pg_inherits i
          JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
         WHERE p.oid IN ('public.outbox_email'::regclass, 'public.outbox_bounce'::regclass)
           AND c.relname ~ '_[0-9]{4}_[0-9]{2}$'
           AND (left(right(c.relname::text, 7), 4)::int - 2000) * 12 + right(c.relname::text, 2)::int - 1 < oldest
    LOOP
        is_open := false;
        IF part.parent = 'outbox_email' THEN
            EXECUTE format('SELECT EXISTS (SELECT 1 FROM public.%I WHERE settled_at IS NULL)', part.relname)
               INTO is_open;
        END IF;
        IF NOT is_open THEN
            EXECUTE format('DROP TABLE public.%I', part.relname);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    RETURN dropped;
END
$$;

CREATE FUNCTION outbox_months_ready(moment timestamptz) RETURNS int LANGUAGE sql STABLE AS $$
    SELECT count(*)::int FROM generate_series(outbox_month(moment) + 1, outbox_month(moment) + 24) AS month
     WHERE to_regclass(format('public.outbox_email_%s_%s', 2000 + month / 12,
                              lpad((month % 12 + 1)::text, 2, '0'))) IS NOT NULL
$$;

-- An email is never deleted. What it is does not change; once settled, nothing does, but that personal data is cleared.
CREATE FUNCTION outbox_email_guard() RETURNS trigger LANGUAGE plpgsql AS $$
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
        OLD.in_doubt, OLD.available_at, OLD.claimed_at, OLD.provider_id)
       IS DISTINCT FROM
       (NEW.status, NEW.settled_at, NEW.message_id, NEW.attempts, NEW.deferrals, NEW.unanswered, NEW.doubts,
        NEW.in_doubt, NEW.available_at, NEW.claimed_at, NEW.provider_id)
       OR (NEW.recipe IS NOT NULL AND NEW.recipe IS DISTINCT FROM OLD.recipe)
       OR (NEW.memo IS NOT NULL AND NEW.memo IS DISTINCT FROM OLD.memo)
       OR NEW.secrets IS NOT NULL OR NEW.tokens IS NOT NULL
       OR (NEW.params <> '{}' AND NEW.params IS DISTINCT FROM OLD.params)
       OR (NEW.address <> '' AND NEW.address IS DISTINCT FROM OLD.address)
       OR (NEW.subject <> '' AND NEW.subject IS DISTINCT FROM OLD.subject)
       OR (NEW.reason <> '' AND NEW.reason IS DISTINCT FROM OLD.reason)
    THEN
        RAISE EXCEPTION 'The ledger stands: of a settled email only personal data is cleared';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER outbox_email_stands BEFORE DELETE ON outbox_email FOR EACH ROW EXECUTE FUNCTION outbox_email_guard();
CREATE TRIGGER outbox_email_state BEFORE UPDATE ON outbox_email FOR EACH ROW
    WHEN (OLD.settled_at IS NOT NULL
          OR NEW.settled_at IS NOT NULL AND (NEW.secrets IS NOT NULL OR NEW.tokens IS NOT NULL)
          OR (OLD.id, OLD.lane, OLD.kind, OLD.person_id, OLD.created_at, OLD.sender_id, OLD.repeat_of_id)
             IS DISTINCT FROM
             (NEW.id, NEW.lane, NEW.kind, NEW.person_id, NEW.created_at, NEW.sender_id, NEW.repeat_of_id))
    EXECUTE FUNCTION outbox_email_guard();

REVOKE ALL ON FUNCTION outbox_make_partitions, outbox_drop_partitions FROM PUBLIC;

SELECT outbox_make_partitions(clock_timestamp(), 12);
"""

DROP = """
DROP TABLE outbox_bounce, outbox_email;
DROP FUNCTION outbox_email_guard, outbox_months_ready, outbox_drop_partitions, outbox_make_partitions, outbox_next_id,
    outbox_month;
DROP SEQUENCE outbox_number_seq;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [("pghistory", "0007_auto_20250421_0444")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TABLES, DROP)],
            state_operations=[
                migrations.CreateModel(
                    name="Bounce",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("hard", "Came back for good"),
                                    ("soft", "Came back for now"),
                                    ("complaint", "Complaint"),
                                    ("refused", "Refused by a policy"),
                                    ("delayed", "Delayed"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("address", models.EmailField(max_length=254)),
                        ("email_id", models.BigIntegerField()),
                        ("person_id", models.BigIntegerField(null=True)),
                        ("at", models.DateTimeField()),
                        ("text", models.CharField(blank=True, max_length=500)),
                    ],
                ),
                migrations.CreateModel(
                    name="Email",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "lane",
                            models.PositiveSmallIntegerField(choices=[(0, "Account"), (1, "Notice"), (2, "Digest")]),
                        ),
                        ("kind", models.CharField(max_length=40)),
                        (
                            "person_id",
                            models.BigIntegerField(
                                help_text="The recipient. None: an address without a person.", null=True
                            ),
                        ),
                        (
                            "sender_id",
                            models.BigIntegerField(
                                help_text="The organisation on whose behalf it is sent; its leads may read the state.",
                                null=True,
                            ),
                        ),
                        (
                            "params",
                            models.JSONField(
                                default=dict, help_text="What its kind composes it from: numbers and codes."
                            ),
                        ),
                        (
                            "secrets",
                            models.JSONField(
                                blank=True,
                                help_text="Parameters that open something, such as a token; gone once it is settled.",
                                null=True,
                            ),
                        ),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("queued", "Queued"),
                                    ("sending", "Sending"),
                                    ("sent", "Sent"),
                                    ("failed", "Failed"),
                                    ("suppressed", "Not sent"),
                                    ("dropped", "No longer needed"),
                                ],
                                default="queued",
                                max_length=10,
                            ),
                        ),
                        ("message_id", models.CharField(blank=True, max_length=120)),
                        ("address", models.CharField(blank=True, max_length=254)),
                        ("subject", models.CharField(blank=True, max_length=400)),
                        ("recipe", models.JSONField(blank=True, null=True)),
                        (
                            "tokens",
                            models.JSONField(
                                blank=True,
                                help_text="The words of the message that open something; gone once it is settled.",
                                null=True,
                            ),
                        ),
                        (
                            "memo",
                            models.JSONField(
                                blank=True,
                                help_text="What the composer needs to know when it is sent again.",
                                null=True,
                            ),
                        ),
                        ("attempts", models.PositiveSmallIntegerField(default=0)),
                        (
                            "deferrals",
                            models.PositiveSmallIntegerField(default=0, help_text="How often a server said “later”."),
                        ),
                        (
                            "unanswered",
                            models.PositiveSmallIntegerField(
                                default=0, help_text="Claims since a server last answered."
                            ),
                        ),
                        (
                            "doubts",
                            models.PositiveSmallIntegerField(
                                default=0, help_text="How often a server may have accepted it without answering."
                            ),
                        ),
                        (
                            "in_doubt",
                            models.BooleanField(
                                default=False, help_text="A server may have it: it is sent again only unchanged."
                            ),
                        ),
                        ("available_at", models.DateTimeField()),
                        ("created_at", models.DateTimeField()),
                        ("claimed_at", models.DateTimeField(blank=True, null=True)),
                        ("settled_at", models.DateTimeField(blank=True, null=True)),
                        ("reason", models.CharField(blank=True, max_length=500)),
                        ("provider_id", models.CharField(blank=True, max_length=200)),
                        (
                            "repeat_of_id",
                            models.BigIntegerField(
                                blank=True, help_text="The email of which this is a repeat.", null=True
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("settled_at", None), ("status__in", ["queued", "sending"])),
                                    models.Q(
                                        models.Q(("status__in", ["queued", "sending"]), _negated=True),
                                        ("settled_at__isnull", False),
                                    ),
                                    _connector="OR",
                                ),
                                name="settled_email_has_a_time",
                            )
                        ],
                    },
                ),
            ],
        ),
        migrations.CreateModel(
            name="EmailPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("body", models.TextField()),
                ("used_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="LegacyMessageId",
            fields=[
                ("message_id", models.CharField(max_length=120, primary_key=True, serialize=False)),
                ("email_id", models.BigIntegerField()),
            ],
            options={
                "verbose_name": "legacy Message-ID",
            },
        ),
        migrations.CreateModel(
            name="ReportSeen",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "event_id",
                    models.CharField(
                        help_text="The provider's number, or a hash of the mail.", max_length=200, unique=True
                    ),
                ),
                ("seen_at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "reports seen",
            },
        ),
        migrations.CreateModel(
            name="SuppressionEvent",
            fields=[
                ("pgh_id", models.AutoField(primary_key=True, serialize=False)),
                ("pgh_created_at", models.DateTimeField(auto_now_add=True)),
                ("pgh_label", models.TextField(help_text="The event label.")),
                ("id", models.BigIntegerField()),
                ("reason", models.CharField(max_length=300)),
                ("since", models.DateTimeField()),
                (
                    "set_by_id",
                    models.BigIntegerField(blank=True, help_text="The person who did it. None: a bounce.", null=True),
                ),
                ("released_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="DeliveredBefore",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=40)),
                ("person_id", models.BigIntegerField(null=True)),
                ("params_hash", models.CharField(max_length=40)),
                ("email_id", models.BigIntegerField(unique=True)),
                ("at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "delivered before",
                "indexes": [models.Index(fields=["person_id", "kind"], name="delivered_before_person")],
            },
        ),
        migrations.CreateModel(
            name="SendCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("domain", models.CharField(max_length=253)),
                ("minute", models.DateTimeField()),
                ("count", models.PositiveIntegerField()),
            ],
            options={
                "indexes": [models.Index(fields=["minute"], name="send_count_minute")],
                "constraints": [models.UniqueConstraint(fields=("domain", "minute"), name="one_send_count_a_minute")],
            },
        ),
        migrations.CreateModel(
            name="Suppression",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.EmailField(max_length=254)),
                ("reason", models.CharField(max_length=300)),
                ("since", models.DateTimeField()),
                (
                    "set_by_id",
                    models.BigIntegerField(blank=True, help_text="The person who did it. None: a bounce.", null=True),
                ),
                ("released_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        django.db.models.functions.text.Lower("address"),
                        condition=models.Q(("released_at", None)),
                        name="one_open_suppression_an_address",
                    )
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="suppression",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "outbox_suppressionevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "released_at", "set_by_id", "since") VALUES (NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."reason", NEW."released_at", NEW."set_by_id", NEW."since"); RETURN NULL;',
                    hash="ee7f8b0d080cdf482a3756aec09d0e52342a9b05",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_03378",
                    table="outbox_suppression",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="suppression",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."reason" IS DISTINCT FROM (NEW."reason") OR OLD."released_at" IS DISTINCT FROM (NEW."released_at") OR OLD."set_by_id" IS DISTINCT FROM (NEW."set_by_id") OR OLD."since" IS DISTINCT FROM (NEW."since"))',
                    func='INSERT INTO "outbox_suppressionevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "released_at", "set_by_id", "since") VALUES (NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."reason", NEW."released_at", NEW."set_by_id", NEW."since"); RETURN NULL;',
                    hash="c52ebe72a462d15e4ae2732af793885367188bf0",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_edb2d",
                    table="outbox_suppression",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="suppression",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "outbox_suppressionevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "reason", "released_at", "set_by_id", "since") VALUES (OLD."id", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."reason", OLD."released_at", OLD."set_by_id", OLD."since"); RETURN NULL;',
                    hash="979d0d41f3531bb5cbf3621c0741f42687df4d11",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_e2d70",
                    table="outbox_suppression",
                    when="AFTER",
                ),
            ),
        ),
        migrations.AddField(
            model_name="suppressionevent",
            name="pgh_context",
            field=models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="pghistory.context",
            ),
        ),
        migrations.AddField(
            model_name="suppressionevent",
            name="pgh_obj",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="outbox.suppression",
            ),
        ),
    ]
