"""Let the application's role only add to the security log, and record each retention rule in a row of its own."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from partnerships.kit.owner_functions import owner_function, retention_function


class Migration(migrations.Migration):
    dependencies = [("people", "0007_refused_for_unknown_addresses")]

    operations = [
        migrations.CreateModel(
            name="RetentionRuleState",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("rule", models.CharField(max_length=100, unique=True)),
                ("first_tried_at", models.DateTimeField()),
                ("tried_at", models.DateTimeField()),
                ("completed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "error",
                    models.CharField(
                        blank=True, help_text="The kind of error; its words may be personal.", max_length=100
                    ),
                ),
            ],
        ),
        pgtrigger.migrations.RemoveTrigger(model_name="securityevent", name="unaltered"),
        pgtrigger.migrations.RemoveTrigger(model_name="securityevent", name="kept_its_time"),
        migrations.AlterField(
            model_name="securityevent",
            name="person",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="security_events",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="securityevent",
            trigger=pgtrigger.compiler.Trigger(
                name="unaltered",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n                    IF ROW(OLD.id, OLD.person_id, OLD.kind, OLD.at)\n                            IS DISTINCT FROM ROW(NEW.id, NEW.person_id, NEW.kind, NEW.at)\n                        OR NEW.ip IS NOT NULL OR NEW.user_agent <> ''\n                        OR NOT EXISTS (\n                            SELECT 1 FROM people_user WHERE id = OLD.person_id AND erased_at IS NOT NULL\n                        )\n                    THEN\n                        RAISE EXCEPTION 'The security log is never altered';\n                    END IF;\n                    RETURN NEW;\n                ",
                    hash="261b7af97384c0f87a174fba680c8a39356a0543",
                    operation="UPDATE",
                    pgid="pgtrigger_unaltered_7910b",
                    table="people_securityevent",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="securityevent",
            trigger=pgtrigger.compiler.Trigger(
                name="kept_its_time",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n                    IF OLD.at > clock_timestamp() - interval '365 days' THEN\n                        RAISE EXCEPTION 'The security log is kept for twelve months';\n                    END IF;\n                    RETURN OLD;\n                ",
                    hash="ab9ebeb9c4833aeb37dab68bfa62318abfef9021",
                    operation="DELETE",
                    pgid="pgtrigger_kept_its_time_4e513",
                    table="people_securityevent",
                    when="BEFORE",
                ),
            ),
        ),
        retention_function("people_securityevent", column="at", kept_for="365 days"),
        owner_function(
            name="blank_security_log",
            arguments="erased bigint",
            body="""
                DECLARE
                    blanked integer;
                BEGIN
                    UPDATE public.people_securityevent SET ip = NULL, user_agent = ''
                    WHERE person_id = erased AND (ip IS NOT NULL OR user_agent <> '')
                        AND EXISTS (SELECT 1 FROM public.people_user WHERE id = erased AND erased_at IS NOT NULL);
                    GET DIAGNOSTICS blanked = ROW_COUNT;
                    RETURN blanked;
                END
            """,
        ),
    ]
