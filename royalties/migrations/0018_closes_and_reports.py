"""A period is closed with its list and trial balance, by two people; a year is reported for good."""

from pathlib import Path

import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.db import migrations, models

import royalties.reports
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_webhooks"),
        ("royalties", "0017_clocks_and_notices"),
    ]

    operations = [
        migrations.CreateModel(
            name="Close",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("through", models.DateField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("requested", "requested"),
                            ("closed", "closed"),
                            ("refused", "refused"),
                            ("withdrawn", "withdrawn"),
                        ],
                        default="requested",
                        max_length=10,
                    ),
                ),
                ("checks", models.JSONField(default=list)),
                ("trial", models.JSONField(default=list)),
                ("remark", models.TextField(blank=True)),
                ("sha256", models.CharField(max_length=64)),
                ("requested_at", models.DateTimeField(auto_now_add=True)),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "society",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["society", "-id"], name="close_by_society")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "requested")),
                        fields=("society",),
                        name="close_is_requested_once_at_a_time",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("status", "closed")),
                        fields=("society", "through"),
                        name="close_is_made_once_a_day",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TransparencyReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("period", django.contrib.postgres.fields.ranges.DateRangeField()),
                (
                    "status",
                    models.CharField(
                        choices=[("draft", "draft"), ("published", "published")], default="draft", max_length=10
                    ),
                ),
                ("figures", models.JSONField(default=dict)),
                ("notes", models.JSONField(default=dict)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("published_at", models.DateTimeField(null=True)),
                (
                    "society",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["status", "-published_at"], name="report_published")],
                "constraints": [models.UniqueConstraint(fields=("society", "period"), name="report_is_one_a_year")],
            },
        ),
        sql_file(Path(royalties.reports.__file__).with_name("reports.sql")),
    ]
