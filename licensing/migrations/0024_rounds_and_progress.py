"""A declaration's processing begins anew by rounds, and says how much of each file was read."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("licensing", "0023_web_corpora")]

    operations = [
        migrations.AddField("declaration", "round", models.PositiveIntegerField(db_default=0, default=0)),
        migrations.AddField("declarationfile", "bytes_read", models.BigIntegerField(db_default=0, default=0)),
    ]
