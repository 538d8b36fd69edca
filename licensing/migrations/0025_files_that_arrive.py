"""What is announced of a declaration before it arrives, and why an upload was refused."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("licensing", "0024_rounds_and_progress")]

    operations = [
        migrations.AddField("upload", "problem", models.JSONField(default=dict)),
        migrations.AlterField(
            "upload",
            "status",
            models.CharField(
                choices=[("open", "arriving"), ("done", "complete"), ("failed", "refused"), ("cancelled", "cancelled")],
                default="open",
                max_length=9,
            ),
        ),
        migrations.CreateModel(
            "AnnouncedFile",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveIntegerField()),
                ("path", models.CharField(max_length=500)),
                ("size", models.BigIntegerField()),
                ("sha256", models.CharField(blank=True, max_length=64)),
                (
                    "declaration",
                    models.ForeignKey(
                        on_delete=models.deletion.CASCADE, related_name="announced", to="licensing.declaration"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("declaration", "path"), name="file_is_announced_once_in_a_declaration"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("sha256", ""), _negated=True),
                        fields=("declaration", "sha256"),
                        name="bytes_are_announced_once_in_a_declaration",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("size__gte", 1), models.Q(("path", ""), _negated=True)),
                        name="announced_file_has_a_path_and_a_size",
                    ),
                ],
            },
        ),
    ]
