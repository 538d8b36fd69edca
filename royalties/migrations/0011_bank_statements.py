"""Bank accounts, the statements that banks send, their entries, and exchange rates; what a bank said stays."""

from pathlib import Path

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import royalties.bank
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_webhooks"),
        ("licensing", "0031_titles_spelled_anew"),
        ("royalties", "0010_expired_allocations"),
    ]

    operations = [
        migrations.CreateModel(
            name="BankAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100)),
                ("bank", models.CharField(max_length=100)),
                ("bic", models.CharField(blank=True, default="", max_length=11)),
                ("number", models.CharField(max_length=34)),
                ("currency", models.CharField(max_length=3)),
                ("columns", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "society",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="BankStatement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place", models.PositiveIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("reference", models.CharField(blank=True, default="", max_length=70)),
                ("sequence", models.BigIntegerField(null=True)),
                ("first_day", models.DateField()),
                ("last_day", models.DateField()),
                ("opening", models.BigIntegerField()),
                ("closing", models.BigIntegerField()),
                ("credits", models.BigIntegerField(default=0)),
                ("debits", models.BigIntegerField(default=0)),
                ("entry_count", models.PositiveIntegerField(default=0)),
                ("gap", models.CharField(blank=True, default="", max_length=300)),
                ("imported_at", models.DateTimeField(auto_now_add=True)),
                ("imported_by", models.JSONField(default=dict)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="statements",
                        to="royalties.bankaccount",
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="licensing.storedfile"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveIntegerField()),
                ("sign", models.SmallIntegerField()),
                ("amount", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("booked_on", models.DateField()),
                ("value_on", models.DateField()),
                ("bank_ref", models.CharField(max_length=100)),
                ("end_to_end_id", models.CharField(blank=True, default="", max_length=35)),
                ("batch_ref", models.CharField(blank=True, default="", max_length=35)),
                ("reference", models.CharField(blank=True, default="", max_length=140)),
                ("counterparty", models.CharField(blank=True, default="", max_length=140)),
                ("counterparty_account", models.CharField(blank=True, default="", max_length=34)),
                ("purpose", models.CharField(blank=True, default="", max_length=500)),
                ("code", models.CharField(blank=True, default="", max_length=40)),
                ("return_reason", models.CharField(blank=True, default="", max_length=4)),
                ("reversal", models.BooleanField(default=False)),
                ("instructed_amount", models.BigIntegerField(null=True)),
                ("instructed_currency", models.CharField(blank=True, default="", max_length=3)),
                ("rate", models.DecimalField(decimal_places=10, max_digits=20, null=True)),
                ("applied", models.BigIntegerField(default=0)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("open", "to be applied"),
                            ("parked", "kept as unapplied"),
                            ("part", "partly applied"),
                            ("applied", "applied"),
                        ],
                        default="open",
                        max_length=8,
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="royalties.bankaccount"
                    ),
                ),
                (
                    "parked",
                    models.OneToOneField(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="royalties.journal"
                    ),
                ),
                (
                    "society",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation"
                    ),
                ),
                (
                    "statement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="royalties.bankstatement",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Application",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("object_kind", models.CharField(max_length=40)),
                ("object_id", models.BigIntegerField()),
                ("amount", models.BigIntegerField()),
                ("applied_at", models.DateTimeField(auto_now_add=True)),
                ("applied_by", models.JSONField(default=dict)),
                ("why", models.CharField(blank=True, default="", max_length=200)),
                (
                    "journal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="royalties.journal"
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="applications", to="royalties.entry"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ExchangeRate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("base", models.CharField(max_length=3)),
                ("quote", models.CharField(max_length=3)),
                ("rate", models.DecimalField(decimal_places=10, max_digits=20)),
                ("on", models.DateField()),
                ("source", models.CharField(max_length=200)),
                ("recorded_at", models.DateTimeField(auto_now_add=True)),
                ("recorded_by", models.JSONField(default=dict)),
                (
                    "society",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="StatementImport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("done", "imported"),
                            ("unchanged", "known already"),
                            ("asks", "does not follow the last one"),
                            ("refused", "refused"),
                        ],
                        max_length=10,
                    ),
                ),
                ("entry_count", models.PositiveIntegerField(default=0)),
                ("code", models.CharField(blank=True, default="", max_length=60)),
                ("detail", models.TextField(blank=True, default="")),
                ("problems", models.JSONField(default=list)),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("by", models.JSONField(default=dict)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="royalties.bankaccount"
                    ),
                ),
                (
                    "file",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="licensing.storedfile"
                    ),
                ),
                ("statements", models.ManyToManyField(related_name="+", to="royalties.bankstatement")),
            ],
        ),
        migrations.AddConstraint(
            model_name="bankaccount",
            constraint=models.UniqueConstraint(
                fields=("society", "number", "currency"),
                name="bank_account_is_named_once",
                violation_error_message="This account is recorded already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__regex", "^[A-Z0-9-]{4,34}$")), name="bank_account_has_a_number"
            ),
        ),
        migrations.AddConstraint(
            model_name="bankaccount",
            constraint=models.CheckConstraint(
                condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="bank_account_has_a_currency"
            ),
        ),
        migrations.AddIndex(
            model_name="bankstatement",
            index=models.Index(fields=["account", "last_day"], name="bank_statement_by_day"),
        ),
        migrations.AddConstraint(
            model_name="bankstatement",
            constraint=models.UniqueConstraint(fields=("account", "sha256"), name="bank_statement_is_kept_once"),
        ),
        migrations.AddConstraint(
            model_name="bankstatement",
            constraint=models.UniqueConstraint(fields=("account", "place"), name="bank_statement_has_its_own_place"),
        ),
        migrations.AddConstraint(
            model_name="bankstatement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "closing",
                        django.db.models.expressions.CombinedExpression(
                            django.db.models.expressions.CombinedExpression(
                                models.F("opening"), "+", models.F("credits")
                            ),
                            "-",
                            models.F("debits"),
                        ),
                    )
                ),
                name="bank_statement_adds_up",
            ),
        ),
        migrations.AddConstraint(
            model_name="bankstatement",
            constraint=models.CheckConstraint(
                condition=models.Q(("last_day__gte", models.F("first_day"))), name="bank_statement_ends_after_it_begins"
            ),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(
                condition=models.Q(("status", "applied"), _negated=True),
                fields=["society", "sign", "-amount", "id"],
                name="bank_entry_waiting",
            ),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(fields=["account", "booked_on", "id"], name="bank_entry_by_day"),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(
                condition=models.Q(("end_to_end_id", ""), _negated=True),
                fields=["society", "end_to_end_id"],
                name="bank_entry_by_end_to_end",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.UniqueConstraint(fields=("account", "bank_ref"), name="bank_entry_is_kept_once"),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.UniqueConstraint(fields=("statement", "position"), name="bank_entry_has_its_own_place"),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0), ("sign__in", [1, -1])), name="bank_entry_comes_in_or_goes_out"
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(("applied__gte", 0), ("applied__lte", models.F("amount"))),
                name="bank_entry_is_applied_once",
                violation_error_message="More of this entry would be applied than came in.",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(("parked", None), ("sign", 1), _connector="OR"), name="bank_entry_parked_came_in"
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("applied", models.F("amount")), ("status", "applied")),
                    models.Q(("applied__gt", 0), ("applied__lt", models.F("amount")), ("status", "part")),
                    models.Q(("applied__lt", models.F("amount")), ("parked__isnull", False), ("status", "parked")),
                    models.Q(("applied", 0), ("parked", None), ("status", "open")),
                    _connector="OR",
                ),
                name="bank_entry_status_says_what_is_applied",
            ),
        ),
        migrations.AddIndex(
            model_name="application",
            index=models.Index(fields=["object_kind", "object_id"], name="bank_application_by_object"),
        ),
        migrations.AddConstraint(
            model_name="application",
            constraint=models.UniqueConstraint(
                fields=("entry", "object_kind", "object_id"), name="bank_entry_is_applied_to_it_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="application",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="bank_application_is_positive"
            ),
        ),
        migrations.AddIndex(
            model_name="exchangerate",
            index=models.Index(fields=["society", "base", "quote", "-on", "-id"], name="exchange_rate_by_day"),
        ),
        migrations.AddConstraint(
            model_name="exchangerate",
            constraint=models.CheckConstraint(condition=models.Q(("rate__gt", 0)), name="exchange_rate_is_positive"),
        ),
        migrations.AddConstraint(
            model_name="exchangerate",
            constraint=models.CheckConstraint(
                condition=models.Q(("base", models.F("quote")), _negated=True), name="exchange_rate_is_between_two"
            ),
        ),
        migrations.AddConstraint(
            model_name="exchangerate",
            constraint=models.CheckConstraint(
                condition=models.Q(("source", ""), _negated=True), name="exchange_rate_has_a_source"
            ),
        ),
        migrations.AddIndex(
            model_name="statementimport",
            index=models.Index(fields=["account", "-id"], name="bank_import_by_account"),
        ),
        sql_file(Path(royalties.bank.__file__).with_name("bank.sql")),
    ]
