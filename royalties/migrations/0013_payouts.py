"""Payouts: policies, batches, payments, what is carried forward, and the bank's answers; what was ordered stays."""

from pathlib import Path

import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

import royalties.payouts
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_webhooks"),
        ("licensing", "0032_audits_by_units"),
        ("royalties", "0012_payees"),
    ]

    operations = [
        migrations.CreateModel(
            name="PayoutPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("currency", models.CharField(max_length=3)),
                ("valid_from", models.DateField()),
                ("threshold", models.BigIntegerField(default=0)),
                (
                    "schedule",
                    models.CharField(
                        choices=[
                            ("monthly", "every month"),
                            ("quarterly", "every quarter"),
                            ("half_yearly", "every half-year"),
                            ("yearly", "every year"),
                        ],
                        default="monthly",
                        max_length=12,
                    ),
                ),
                ("day", models.PositiveSmallIntegerField(default=10)),
                ("columns", models.JSONField(default=list)),
                ("ascii_only", models.BooleanField(default=False)),
                ("remittance", models.CharField(blank=True, max_length=100)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "debtor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="royalties.bankaccount"
                    ),
                ),
                (
                    "society",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Batch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("currency", models.CharField(max_length=3)),
                ("execute_on", models.DateField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("draft", "being prepared"),
                            ("prepared", "prepared"),
                            ("approved", "approved"),
                            ("ordered", "ordered"),
                            ("sent", "sent to the bank"),
                            ("settled", "answered by the bank"),
                            ("discarded", "discarded"),
                        ],
                        default="draft",
                        max_length=10,
                    ),
                ),
                ("gross", models.BigIntegerField(default=0)),
                ("withheld", models.BigIntegerField(default=0)),
                ("net", models.BigIntegerField(default=0)),
                ("payments", models.IntegerField(default=0)),
                ("holders", models.IntegerField(default=0)),
                ("carried", models.BigIntegerField(default=0)),
                ("carried_holders", models.IntegerField(default=0)),
                ("digest", models.CharField(blank=True, max_length=64)),
                ("terms_digest", models.CharField(blank=True, max_length=64)),
                ("problems", models.JSONField(default=list)),
                ("order", models.JSONField(default=dict)),
                ("file_format", models.CharField(blank=True, max_length=10)),
                ("file_sha256", models.CharField(blank=True, max_length=64)),
                ("heartbeat_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("prepared_at", models.DateTimeField(null=True)),
                ("ordered_at", models.DateTimeField(null=True)),
                ("sent_at", models.DateTimeField(null=True)),
                (
                    "journal",
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
                    "transferred",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="royalties.journal"
                    ),
                ),
                (
                    "policy",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="royalties.payoutpolicy"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Answer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sha256", models.CharField(max_length=64)),
                ("message_id", models.CharField(max_length=35)),
                ("group_status", models.CharField(blank=True, max_length=4)),
                ("settled", models.IntegerField(default=0)),
                ("rejected", models.IntegerField(default=0)),
                ("pending", models.IntegerField(default=0)),
                ("unknown", models.IntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "society",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation"
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="answers", to="royalties.batch"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("society", "sha256"), name="payout_answer_is_taken_in_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="CarriedForward",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("currency", models.CharField(max_length=3)),
                ("amount", models.BigIntegerField()),
                ("reason", models.CharField(max_length=30)),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="left",
                        to="royalties.batch",
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="licensing.holder",
                    ),
                ),
                (
                    "society",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["holder", "-batch"], name="carried_by_holder"),
                    models.Index(fields=["batch", "reason", "-amount", "id"], name="carried_by_reason"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("batch", "holder"), name="holder_is_carried_forward_once_a_batch"),
                    models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="carried_amount_is_positive"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.IntegerField()),
                ("entitlement_id", models.BigIntegerField(null=True)),
                ("end_to_end_id", models.CharField(max_length=35)),
                ("currency", models.CharField(max_length=3)),
                ("gross", models.BigIntegerField()),
                ("withheld", models.BigIntegerField()),
                ("net", models.BigIntegerField()),
                ("brought_forward", models.BigIntegerField(default=0)),
                ("taxes", models.JSONField(default=list)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("planned", "planned"),
                            ("ordered", "ordered"),
                            ("sent", "on its way"),
                            ("settled", "paid"),
                            ("rejected", "refused by the bank"),
                            ("returned", "returned"),
                            ("discarded", "discarded"),
                        ],
                        default="planned",
                        max_length=10,
                    ),
                ),
                ("bank_status", models.CharField(blank=True, max_length=4)),
                ("reason", models.CharField(blank=True, max_length=35)),
                ("reason_text", models.CharField(blank=True, max_length=500)),
                ("bank_ref", models.CharField(blank=True, max_length=140)),
                ("execute_on", models.DateField()),
                ("ended_on", models.DateField(null=True)),
                (
                    "back",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="royalties.journal",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rows",
                        to="royalties.batch",
                    ),
                ),
                (
                    "details",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="royalties.payeedetails",
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="licensing.holder",
                    ),
                ),
                (
                    "journal",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="royalties.journal",
                    ),
                ),
                (
                    "resend_of",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="resent_as",
                        to="royalties.payment",
                    ),
                ),
                (
                    "society",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.organisation",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["holder", "-id"], name="payment_by_holder"),
                    models.Index(fields=["batch", "status", "position"], name="payment_by_status"),
                    models.Index(fields=["batch", "-net", "id"], name="payment_by_size"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("end_to_end_id",), name="payment_has_its_own_end_to_end_id"),
                    models.UniqueConstraint(fields=("batch", "position"), name="payment_has_its_place_in_the_batch"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "gross",
                                django.db.models.expressions.CombinedExpression(
                                    models.F("withheld"), "+", models.F("net")
                                ),
                            )
                        ),
                        name="payment_adds_up",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("brought_forward__gte", 0),
                            ("brought_forward__lte", models.F("gross")),
                            ("net__gt", 0),
                            ("withheld__gte", 0),
                        ),
                        name="payment_is_positive",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("back__isnull", False), ("status__in", ["rejected", "returned"])),
                            models.Q(models.Q(("status__in", ["rejected", "returned"]), _negated=True), ("back", None)),
                            _connector="OR",
                        ),
                        name="payment_that_failed_is_owed_again",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="payoutpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(("threshold__gte", 0)), name="payout_threshold_is_not_negative"
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(("day__gte", 1), ("day__lte", 28)), name="payout_day_is_in_every_month"
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutpolicy",
            constraint=models.UniqueConstraint(
                fields=("society", "currency", "valid_from"),
                name="payout_policy_begins_once_a_day",
                violation_error_message="Another policy for this currency begins on that day.",
            ),
        ),
        migrations.AddIndex(
            model_name="batch",
            index=models.Index(fields=["society", "-id"], name="payout_batch_by_society"),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status__in", ["draft", "prepared", "approved"])),
                fields=("society", "currency"),
                name="payout_batch_is_one_at_a_time",
                violation_error_message="Another payout in this currency is not ordered yet: approve or discard it.",
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "gross",
                        django.db.models.expressions.CombinedExpression(models.F("withheld"), "+", models.F("net")),
                    )
                ),
                name="payout_batch_pays_what_it_does_not_withhold",
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["sent", "settled"]), _negated=True),
                    models.Q(models.Q(("file_sha256", ""), _negated=True), ("sent_at__isnull", False)),
                    _connector="OR",
                ),
                name="payout_batch_is_sent_with_a_file",
            ),
        ),
        migrations.AddConstraint(
            model_name="batch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("status__in", ["draft", "prepared", "approved", "discarded"]),
                    ("journal__isnull", False),
                    _connector="OR",
                ),
                name="payout_batch_is_ordered_by_a_journal",
            ),
        ),
        sql_file(Path(royalties.payouts.__file__).with_name("payouts.sql")),
    ]
