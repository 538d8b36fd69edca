from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

import licensing.matching
from accounts.identity.sql import sql_file

_HERE = Path(licensing.matching.__file__)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_webhooks"), ("licensing", "0025_files_that_arrive")]

    operations = [
        migrations.CreateModel(
            name="TitleState",
            fields=[
                ("society", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="+", serialize=False, to="accounts.organisation")),
                ("state", models.CharField(blank=True, max_length=80)),
            ],
        ),
        migrations.CreateModel(
            name="TitleKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.UUIDField()),
                ("value", models.CharField(max_length=2048)),
                ("plain", models.BooleanField()),
                ("society", models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.organisation")),
                ("work", models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="licensing.work")),
            ],
            options={"indexes": [models.Index(fields=["society", "value"], name="title_key_by_value")]},
        ),
        sql_file(_HERE.with_name("rules.sql")),
        sql_file(_HERE.with_name("meaning.sql")),
    ]
