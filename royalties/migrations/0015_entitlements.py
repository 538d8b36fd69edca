"""Who else has a right to what a holder is owed: entitlements, advances, sister societies; what they say stays."""

from pathlib import Path

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.expressions
import django.db.models.functions.datetime
from django.db import migrations, models

import royalties.entitlements
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_webhooks"),
        ("licensing", "0033_conflicting_shares"),
        ("royalties", "0014_settling"),
    ]

    operations = [
        migrations.CreateModel(
            name="Advance",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("currency", models.CharField(max_length=3)),
                ("amount", models.BigIntegerField()),
                ("ppm", models.IntegerField(default=1000000)),
                ("stays", models.BigIntegerField(default=0)),
                ("reason", models.CharField(max_length=1000)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("requested", "waits for a second person"),
                            ("approved", "approved, to be paid"),
                            ("refused", "refused"),
                            ("paid", "paid, to be recouped"),
                            ("recouped", "recouped"),
                            ("written_off", "written off"),
                        ],
                        default="requested",
                        max_length=11,
                    ),
                ),
                ("paid_on", models.DateField(null=True)),
                ("bank_reference", models.CharField(blank=True, max_length=140)),
                ("recouped", models.BigIntegerField(db_default=0, default=0)),
                ("written_off", models.BigIntegerField(db_default=0, default=0)),
                ("write_off_reason", models.CharField(blank=True, max_length=1000)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="licensing.holder"
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
            name="AdvanceMove",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("paid", "paid"), ("recouped", "recouped"), ("written_off", "written off")],
                        max_length=11,
                    ),
                ),
                ("amount", models.BigIntegerField()),
                ("on", models.DateField()),
                (
                    "advance",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="moves", to="royalties.advance"
                    ),
                ),
                (
                    "journal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="royalties.journal"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Entitlement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("assignment", "assignment"),
                            ("succession", "succession"),
                            ("garnishment", "garnishment"),
                            ("other_payee", "payee other than the holder"),
                        ],
                        max_length=12,
                    ),
                ),
                ("ppm", models.IntegerField(default=1000000)),
                ("ceiling", models.BigIntegerField(null=True)),
                ("currency", models.CharField(blank=True, max_length=3)),
                ("paid", models.BigIntegerField(db_default=0, default=0)),
                ("priority", models.SmallIntegerField(default=0)),
                ("with_arrears", models.BooleanField(default=False)),
                ("valid", django.contrib.postgres.fields.ranges.DateRangeField()),
                ("basis", models.CharField(max_length=300)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("requested", "waits for a second person"),
                            ("approved", "approved"),
                            ("refused", "refused"),
                            ("revoked", "revoked"),
                        ],
                        default="requested",
                        max_length=10,
                    ),
                ),
                ("end_asked", models.DateField(null=True)),
                ("end_reason", models.CharField(blank=True, max_length=1000)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "document",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="licensing.storedfile"
                    ),
                ),
                (
                    "holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="licensing.holder"
                    ),
                ),
                (
                    "society",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation"
                    ),
                ),
                (
                    "to_holder",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="licensing.holder"
                    ),
                ),
                (
                    "to_payee",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="royalties.payee"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="EntitlementMove",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("currency", models.CharField(max_length=3)),
                ("amount", models.BigIntegerField()),
                ("on", models.DateField()),
                (
                    "entitlement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="moves", to="royalties.entitlement"
                    ),
                ),
                (
                    "journal",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="royalties.journal"
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="licensing.holder"
                    ),
                ),
                (
                    "target",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="licensing.holder"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="EntitlementPayment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=200)),
                ("currency", models.CharField(max_length=3)),
                ("amount", models.BigIntegerField()),
                ("on", models.DateField()),
                (
                    "entitlement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="payments", to="royalties.entitlement"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SisterAgreement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "uses",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=12), size=None),
                ),
                (
                    "territory",
                    django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2), size=None),
                ),
                ("deductions", models.JSONField(default=list)),
                ("valid", django.contrib.postgres.fields.ranges.DateRangeField()),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("requested", "waits for a second person"),
                            ("approved", "approved"),
                            ("refused", "refused"),
                        ],
                        default="requested",
                        max_length=10,
                    ),
                ),
                ("end_asked", models.DateField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "document",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="licensing.storedfile"
                    ),
                ),
                (
                    "sister",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation"
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
            name="SisterMember",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("their_ref", models.CharField(blank=True, max_length=64)),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "holder",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="licensing.holder"
                    ),
                ),
                (
                    "sister",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation"
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
            name="SisterStatement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("currency", models.CharField(max_length=3)),
                ("on", models.DateField()),
                ("holders", models.IntegerField(default=0)),
                ("gross", models.BigIntegerField(default=0)),
                (
                    "cuts",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                ("net", models.BigIntegerField(default=0)),
                (
                    "status",
                    models.CharField(choices=[("open", "to be paid"), ("paid", "paid")], default="open", max_length=10),
                ),
                ("paid_on", models.DateField(null=True)),
                ("bank_reference", models.CharField(blank=True, max_length=140)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "agreement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="royalties.sisteragreement"
                    ),
                ),
                (
                    "journal",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="royalties.journal",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="royalties.journal",
                    ),
                ),
                (
                    "sister",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation"
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
            name="SisterLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("their_ref", models.CharField(blank=True, max_length=64)),
                ("gross", models.BigIntegerField()),
                (
                    "cuts",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                ("net", models.BigIntegerField()),
                (
                    "holder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="licensing.holder"
                    ),
                ),
                (
                    "statement",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="royalties.sisterstatement",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="advance",
            index=models.Index(fields=["society", "status", "-id"], name="advance_by_society"),
        ),
        migrations.AddIndex(
            model_name="advance",
            index=models.Index(fields=["holder", "status"], name="advance_by_holder"),
        ),
        migrations.AddConstraint(
            model_name="advance",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0), ("amount__lte", 1000000000000000)), name="advance_is_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="advance",
            constraint=models.CheckConstraint(
                condition=models.Q(("ppm__gte", 1), ("ppm__lte", 1000000)), name="advance_is_recouped_by_a_percentage"
            ),
        ),
        migrations.AddConstraint(
            model_name="advance",
            constraint=models.CheckConstraint(
                condition=models.Q(("stays__gte", 0), ("stays__lte", 1000000000000000)),
                name="advance_leaves_no_less_than_nothing",
            ),
        ),
        migrations.AddConstraint(
            model_name="advance",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "amount__gte",
                        django.db.models.expressions.CombinedExpression(
                            models.F("recouped"), "+", models.F("written_off")
                        ),
                    ),
                    ("recouped__gte", 0),
                    ("written_off__gte", 0),
                ),
                name="advance_is_recouped_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="advance",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("paid_on", None), ("status__in", ["requested", "approved", "refused"])),
                    models.Q(
                        ("paid_on__isnull", False),
                        ("status__in", ["paid", "recouped", "written_off"]),
                        models.Q(("bank_reference", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="advance_names_its_payment",
            ),
        ),
        migrations.AddConstraint(
            model_name="advance",
            constraint=models.UniqueConstraint(
                condition=models.Q(("bank_reference", ""), _negated=True),
                fields=("society", "bank_reference"),
                name="advance_has_its_own_payment",
                violation_error_message="This payment of the bank stands for another advance already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="advancemove",
            constraint=models.UniqueConstraint(fields=("advance", "journal"), name="advance_moves_once_a_journal"),
        ),
        migrations.AddConstraint(
            model_name="advancemove",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gt", 0)), name="advance_move_is_positive"),
        ),
        migrations.AddIndex(
            model_name="entitlement",
            index=models.Index(fields=["society", "status", "-id"], name="entitlement_by_society"),
        ),
        migrations.AddIndex(
            model_name="entitlement",
            index=models.Index(fields=["holder", "kind"], name="entitlement_by_holder"),
        ),
        migrations.AddIndex(
            model_name="entitlement",
            index=models.Index(
                condition=models.Q(("to_holder__isnull", False)), fields=["to_holder"], name="entitlement_by_receiver"
            ),
        ),
        migrations.AddConstraint(
            model_name="entitlement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("kind__in", ["assignment", "succession"]), ("to_holder__isnull", False), ("to_payee", None)
                    ),
                    models.Q(
                        ("kind__in", ["garnishment", "other_payee"]), ("to_holder", None), ("to_payee__isnull", False)
                    ),
                    _connector="OR",
                ),
                name="entitlement_is_in_favour_of_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="entitlement",
            constraint=models.CheckConstraint(
                condition=models.Q(("holder", models.F("to_holder")), _negated=True),
                name="entitlement_is_in_favour_of_somebody_else",
            ),
        ),
        migrations.AddConstraint(
            model_name="entitlement",
            constraint=models.CheckConstraint(
                condition=models.Q(("ppm__gte", 1), ("ppm__lte", 1000000)),
                name="entitlement_portion_is_between_1_and_1000000_ppm",
            ),
        ),
        migrations.AddConstraint(
            model_name="entitlement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ceiling", None), ("currency", ""), ("paid", 0)),
                    models.Q(
                        ("ceiling__gt", 0),
                        ("ceiling__lte", 1000000000000000),
                        ("kind", "garnishment"),
                        ("paid__gte", 0),
                        ("paid__lte", models.F("ceiling")),
                        models.Q(("currency", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="entitlement_takes_no_more_than_its_ceiling",
                violation_error_message="More would be paid than the order allows in all.",
            ),
        ),
        migrations.AddConstraint(
            model_name="entitlement",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid__isempty", False), ("valid__startswith__isnull", False)),
                name="entitlement_begins_on_a_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="entitlement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("with_arrears", False), ("kind__in", ["assignment", "succession"]), _connector="OR"
                ),
                name="entitlement_arrears_are_of_money_owed",
            ),
        ),
        migrations.AddIndex(
            model_name="entitlementmove",
            index=models.Index(fields=["source", "currency"], name="entitlement_move_by_source"),
        ),
        migrations.AddIndex(
            model_name="entitlementmove",
            index=models.Index(fields=["target", "currency"], name="entitlement_move_by_target"),
        ),
        migrations.AddConstraint(
            model_name="entitlementmove",
            constraint=models.UniqueConstraint(
                fields=("entitlement", "journal"), name="entitlement_moves_once_a_journal"
            ),
        ),
        migrations.AddConstraint(
            model_name="entitlementmove",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="entitlement_move_is_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="entitlementpayment",
            constraint=models.UniqueConstraint(fields=("entitlement", "key"), name="entitlement_is_paid_once_a_key"),
        ),
        migrations.AddConstraint(
            model_name="entitlementpayment",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount", 0), _negated=True), name="entitlement_payment_is_an_amount"
            ),
        ),
        migrations.AddIndex(
            model_name="sisteragreement",
            index=models.Index(fields=["society", "-id"], name="sister_agreement_by_society"),
        ),
        migrations.AddConstraint(
            model_name="sisteragreement",
            constraint=models.CheckConstraint(
                condition=models.Q(("society", models.F("sister")), _negated=True), name="sister_is_another_society"
            ),
        ),
        migrations.AddConstraint(
            model_name="sisteragreement",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid__isempty", False), ("valid__startswith__isnull", False)),
                name="sister_agreement_begins_on_a_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="sisteragreement",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
                condition=models.Q(("status", "approved")),
                expressions=[
                    (
                        models.Func(
                            models.F("society"),
                            models.F("society"),
                            models.Value("[]"),
                            function="int8range",
                            output_field=django.contrib.postgres.fields.ranges.BigIntegerRangeField(),
                        ),
                        "&&",
                    ),
                    (
                        models.Func(
                            models.F("sister"),
                            models.F("sister"),
                            models.Value("[]"),
                            function="int8range",
                            output_field=django.contrib.postgres.fields.ranges.BigIntegerRangeField(),
                        ),
                        "&&",
                    ),
                    ("valid", "&&"),
                ],
                name="sister_agreement_is_one_a_day",
                violation_error_message="Another agreement with this society is in force on some of these days.",
            ),
        ),
        migrations.AddIndex(
            model_name="sistermember",
            index=models.Index(fields=["society", "sister", "holder"], name="sister_member_by_sister"),
        ),
        migrations.AddIndex(
            model_name="sisterstatement",
            index=models.Index(fields=["society", "sister", "-id"], name="sister_statement_by_sister"),
        ),
        migrations.AddConstraint(
            model_name="sisterstatement",
            constraint=models.UniqueConstraint(fields=("journal", "sister"), name="sister_is_told_once_a_journal"),
        ),
        migrations.AddConstraint(
            model_name="sisterstatement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("bank_reference", ""), ("paid_on", None), ("payment", None), ("status", "open")),
                    models.Q(
                        ("paid_on__isnull", False), ("status", "paid"), models.Q(("bank_reference", ""), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="sister_payment_names_the_bank",
            ),
        ),
        migrations.AddConstraint(
            model_name="sisterstatement",
            constraint=models.UniqueConstraint(
                condition=models.Q(("bank_reference", ""), _negated=True),
                fields=("society", "bank_reference"),
                name="sister_statement_has_its_own_payment",
                violation_error_message="This payment of the bank stands for another statement already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="sisterline",
            constraint=models.UniqueConstraint(fields=("statement", "holder"), name="sister_line_is_one_a_holder"),
        ),
        migrations.AddConstraint(
            model_name="sisterline",
            constraint=models.CheckConstraint(
                condition=models.Q(("gross__gt", 0), ("net__gte", 0)), name="sister_line_is_an_amount"
            ),
        ),
        sql_file(Path(royalties.entitlements.__file__).with_name("entitlements.sql")),
    ]
