from pathlib import Path

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models

import licensing.claims
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_webhooks"), ("licensing", "0027_findings_of_declarations")]

    operations = [
        migrations.CreateModel(
            name="QueueLook",
            fields=[
                ("society", models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name="+", serialize=False, to="accounts.organisation")),
                ("declared", models.CharField(blank=True, max_length=80)),
                ("register", models.CharField(blank=True, max_length=80)),
                ("looked_at", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.AddField("unmatched", "alike", models.CharField(blank=True, db_default="", max_length=32)),
        migrations.AddField("unmatched", "conflict", models.BooleanField(db_default=False, default=False)),
        migrations.AddIndex(
            "unmatched",
            models.Index(condition=models.Q(("alike", ""), _negated=True), fields=["society", "alike"], name="unmatched_by_likeness"),
        ),
        migrations.AddIndex(
            "unmatched",
            django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.search.SearchVector("title", "creators", config="simple"), name="unmatched_by_words"),
        ),
        sql_file(Path(licensing.claims.__file__).with_name("claims.sql")),
    ]
