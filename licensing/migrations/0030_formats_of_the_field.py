import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("licensing", "0029_audits_stay")]

    operations = [
        migrations.AddField(
            model_name="import",
            name="answer",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="licensing.storedfile"
            ),
        ),
        migrations.AlterField(
            model_name="import",
            name="kind",
            field=models.CharField(
                choices=[
                    ("holders", "holders"),
                    ("works", "works"),
                    ("shares", "shares"),
                    ("mandates", "mandates"),
                    ("reservations", "reservations"),
                    ("cwr", "musical works (CWR)"),
                    ("onix", "books (ONIX)"),
                    ("renewals", "renewals of copyright"),
                ],
                max_length=12,
            ),
        ),
    ]
