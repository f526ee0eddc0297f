import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0022_consent_to_handovers"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="succession",
            name="insert_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="succession",
            name="update_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="succession",
            name="delete_delete",
        ),
        migrations.AddField(
            model_name="succession",
            name="new_code",
            field=models.CharField(blank=True, db_default="", help_text="The code after new codes.", max_length=80),
        ),
        migrations.AddField(
            model_name="succession",
            name="new_code_scheme",
            field=models.CharField(
                choices=[
                    ("gss", "GSS code"),
                    ("local-authority", "Local authority key"),
                    ("rsh", "Regulator of Social Housing registration number"),
                    ("planning-data", "Planning data entity"),
                    ("planning-area", "Code of its area as planning authority"),
                    ("lep", "LEP code"),
                    ("company", "Company number"),
                    ("charity", "Charity number"),
                    ("mutuals", "Mutuals register number"),
                    ("ods", "NHS organisation code"),
                    ("network", "Key in a loaded network file"),
                    ("former-key", "Former or other key"),
                ],
                db_default="gss",
                default="gss",
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="successionevent",
            name="new_code",
            field=models.CharField(blank=True, db_default="", help_text="The code after new codes.", max_length=80),
        ),
        migrations.AddField(
            model_name="successionevent",
            name="new_code_scheme",
            field=models.CharField(
                choices=[
                    ("gss", "GSS code"),
                    ("local-authority", "Local authority key"),
                    ("rsh", "Regulator of Social Housing registration number"),
                    ("planning-data", "Planning data entity"),
                    ("planning-area", "Code of its area as planning authority"),
                    ("lep", "LEP code"),
                    ("company", "Company number"),
                    ("charity", "Charity number"),
                    ("mutuals", "Mutuals register number"),
                    ("ods", "NHS organisation code"),
                    ("network", "Key in a loaded network file"),
                    ("former-key", "Former or other key"),
                ],
                db_default="gss",
                default="gss",
                max_length=20,
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="succession",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "organisations_successionevent" ("codes_on", "id", "instrument", "instrument_url", "is_untold", "kind", "new_code", "new_code_scheme", "new_name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "place", "proposal", "shadow_on", "source", "source_url", "status", "undoes_id", "vests_on") VALUES (NEW."codes_on", NEW."id", NEW."instrument", NEW."instrument_url", NEW."is_untold", NEW."kind", NEW."new_code", NEW."new_code_scheme", NEW."new_name", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."place", NEW."proposal", NEW."shadow_on", NEW."source", NEW."source_url", NEW."status", NEW."undoes_id", NEW."vests_on"); RETURN NULL;',
                    hash="c42d02784a372b61fa693a6367f115977e61df5a",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_74ed8",
                    table="organisations_succession",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="succession",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (OLD.* IS DISTINCT FROM NEW.*)",
                    func='INSERT INTO "organisations_successionevent" ("codes_on", "id", "instrument", "instrument_url", "is_untold", "kind", "new_code", "new_code_scheme", "new_name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "place", "proposal", "shadow_on", "source", "source_url", "status", "undoes_id", "vests_on") VALUES (NEW."codes_on", NEW."id", NEW."instrument", NEW."instrument_url", NEW."is_untold", NEW."kind", NEW."new_code", NEW."new_code_scheme", NEW."new_name", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."place", NEW."proposal", NEW."shadow_on", NEW."source", NEW."source_url", NEW."status", NEW."undoes_id", NEW."vests_on"); RETURN NULL;',
                    hash="efaeefa83a2fc2d76b8570d32d27ab478042e995",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_b7b33",
                    table="organisations_succession",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="succession",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='INSERT INTO "organisations_successionevent" ("codes_on", "id", "instrument", "instrument_url", "is_untold", "kind", "new_code", "new_code_scheme", "new_name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "place", "proposal", "shadow_on", "source", "source_url", "status", "undoes_id", "vests_on") VALUES (OLD."codes_on", OLD."id", OLD."instrument", OLD."instrument_url", OLD."is_untold", OLD."kind", OLD."new_code", OLD."new_code_scheme", OLD."new_name", _pgh_attach_context(), NOW(), \'delete\', OLD."id", OLD."place", OLD."proposal", OLD."shadow_on", OLD."source", OLD."source_url", OLD."status", OLD."undoes_id", OLD."vests_on"); RETURN NULL;',
                    hash="4a4a254e66e0026438471afa05131d250345b3a0",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_e2371",
                    table="organisations_succession",
                    when="AFTER",
                ),
            ),
        ),
    ]
