"""What is held or in suspense and still there, and what of it a resolution declared non-distributable."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

import royalties.distribution
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):
    dependencies = [("royalties", "0009_chart_of_payments")]
    operations = [
        migrations.CreateModel(
            name="ExpiredAllocation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("resolution_id", models.BigIntegerField()),
                ("amount", models.BigIntegerField()),
                (
                    "allocation",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="royalties.allocation",
                    ),
                ),
                (
                    "journal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="royalties.journal"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["resolution_id"], name="expired_by_resolution")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="expired_amount_is_positive")
                ],
            },
        ),
        sql_file(Path(royalties.distribution.__file__).with_name("expiry.sql")),
    ]
