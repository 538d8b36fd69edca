from pathlib import Path

from django.db import migrations, models

import licensing.declarations
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):
    dependencies = [("licensing", "0028_queue_of_unmatched")]
    operations = [
        migrations.AddIndex(
            model_name="declareduse",
            index=models.Index(
                condition=models.Q(("status__in", ["reserved", "unmandated", "unlicensed"])),
                fields=["declaration", "status", "id"],
                name="declared_use_off_licence",
            ),
        ),
        sql_file(Path(licensing.declarations.__file__).with_name("audits.sql")),
    ]
