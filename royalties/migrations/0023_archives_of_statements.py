"""All statements of a run as files, in parts that workers write."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("licensing", "0034_cases_found_later"),
        ("royalties", "0022_outstanding_rows"),
    ]

    operations = [
        migrations.CreateModel(
            name="StatementArchive",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("form", models.CharField(choices=[("pdf", "PDF"), ("csv", "CSV"), ("json", "JSON")], max_length=4)),
                ("language", models.CharField(max_length=2)),
                ("statements", models.IntegerField()),
                ("asked_at", models.DateTimeField(auto_now_add=True)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="royalties.run"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ArchivePart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.IntegerField()),
                ("first_id", models.BigIntegerField()),
                ("last_id", models.BigIntegerField()),
                ("statements", models.IntegerField()),
                ("done", models.IntegerField(default=0)),
                (
                    "status",
                    models.CharField(
                        choices=[("waiting", "waiting"), ("running", "running"), ("done", "done")],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("attempt", models.IntegerField(default=0)),
                ("heartbeat_at", models.DateTimeField(null=True)),
                (
                    "file",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="licensing.storedfile",
                    ),
                ),
                (
                    "archive",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="royalties.statementarchive",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="statementarchive",
            constraint=models.UniqueConstraint(fields=("run", "form", "language"), name="archive_is_made_once"),
        ),
        migrations.AddConstraint(
            model_name="statementarchive",
            constraint=models.CheckConstraint(
                condition=models.Q(("language__in", ["ko", "en"])), name="archive_is_in_a_language"
            ),
        ),
        migrations.AddIndex(
            model_name="archivepart",
            index=models.Index(
                condition=models.Q(("status", "done"), _negated=True), fields=["heartbeat_at"], name="archive_part_left"
            ),
        ),
        migrations.AddConstraint(
            model_name="archivepart",
            constraint=models.UniqueConstraint(fields=("archive", "number"), name="archive_part_has_its_own_number"),
        ),
        migrations.AddConstraint(
            model_name="archivepart",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("file__isnull", False), ("status", "done")),
                    models.Q(("status", "done"), _negated=True),
                    _connector="OR",
                ),
                name="archive_part_is_done_with_its_file",
            ),
        ),
    ]
