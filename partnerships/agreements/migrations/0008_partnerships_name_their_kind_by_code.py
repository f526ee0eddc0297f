import django.db.models.deletion
from django.db import migrations

import partnerships.kit.vocabularies


class Migration(migrations.Migration):
    dependencies = [("agreements", "0007_todays_partnership_kinds")]

    operations = [
        migrations.AlterField(
            model_name="partnership",
            name="kind",
            field=partnerships.kit.vocabularies.VocabularyKey(
                db_column="kind",
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="agreements.partnershipkind",
                to_field="code",
            ),
        ),
        migrations.AlterField(
            model_name="partnershipevent",
            name="kind",
            field=partnerships.kit.vocabularies.VocabularyKey(
                db_column="kind",
                db_constraint=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                related_query_name="+",
                to="agreements.partnershipkind",
                to_field="code",
            ),
        ),
    ]
