import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("digests", "0022_show_reason_codes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RenameModel("Told", "Watermark"),
        migrations.AlterModelOptions("watermark", options={}),
        migrations.RenameIndex("watermark", new_name="watermark_due", old_name="told_due"),
        migrations.RenameIndex("watermark", new_name="watermark_without_access", old_name="told_without_access"),
        migrations.RenameIndex("watermark", new_name="watermark_of_plan", old_name="told_of_plan"),
        migrations.RenameIndex("watermark", new_name="watermark_unreadable", old_name="told_unreadable"),
        migrations.AlterField(
            "watermark",
            "recipient",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="watermarks",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            "watermark",
            "plan",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="watermarks",
                to="plans.plan",
            ),
        ),
        migrations.RenameModel("TypedAddress", "EmailRequest"),
        migrations.AlterModelOptions("emailrequest", options={}),
    ]
