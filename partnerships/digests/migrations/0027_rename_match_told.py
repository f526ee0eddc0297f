from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("digests", "0026_hide_own_addresses")]

    operations = [
        migrations.RenameModel("MatchTold", "MatchNotice"),
        migrations.AlterModelOptions("matchnotice", options={}),
    ]
