from pathlib import Path

from django.db import migrations, models

import licensing.declarations
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):
    dependencies = [("licensing", "0031_titles_spelled_anew")]
    operations = [
        migrations.AddField(
            model_name="auditline",
            name="draws",
            field=models.IntegerField(db_default=1, default=1),
        ),
        migrations.AddField(
            model_name="auditsample",
            name="method",
            field=models.CharField(
                choices=[("rows", "every row alike"), ("units", "by their units")],
                db_default="rows",
                default="rows",
                max_length=5,
            ),
        ),
        migrations.AddField(
            model_name="auditsample",
            name="population_units",
            field=models.DecimalField(decimal_places=0, max_digits=38, null=True),
        ),
        migrations.AddField(
            model_name="auditsample",
            name="unit",
            field=models.CharField(blank=True, db_default="", max_length=12),
        ),
        migrations.AddConstraint(
            model_name="auditline",
            constraint=models.CheckConstraint(condition=models.Q(("draws__gte", 1)), name="audit_line_was_drawn"),
        ),
        migrations.AddConstraint(
            model_name="auditsample",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("method", "rows"), ("population_units__isnull", True), ("unit", "")),
                    models.Q(("method", "units"), ("population_units__gte", 1), models.Q(("unit", ""), _negated=True)),
                    _connector="OR",
                ),
                name="audit_sample_by_units_names_its_unit",
            ),
        ),
        sql_file(Path(licensing.declarations.__file__).with_name("audits_by_units.sql")),
    ]
