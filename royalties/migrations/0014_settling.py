"""Receipts in other currencies, write-offs, refunds, VAT by licensee, tax invoices, reminders; two kinds of account for them."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models

# The chart only grows; going back leaves the rows.
KINDS = "INSERT INTO ledger_kind (kind, floor, named) VALUES ('refunding', 1, false), ('borne', -1, false) ON CONFLICT DO NOTHING"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_webhooks"),
        ("licensing", "0031_titles_spelled_anew"),
        ("royalties", "0013_payouts"),
    ]

    operations = [
        migrations.CreateModel(
            name="DunningPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("levels", models.JSONField()),
                ("interest_percent", models.DecimalField(decimal_places=3, max_digits=6, null=True)),
                ("interest_source", models.CharField(blank=True, default="", max_length=300)),
                ("valid", django.contrib.postgres.fields.ranges.DateRangeField()),
            ],
        ),
        migrations.CreateModel(
            name="InvoiceDispute",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.CharField(max_length=500)),
                ("opened_on", models.DateField()),
                ("closed_on", models.DateField(null=True)),
                ("outcome", models.CharField(blank=True, default="", max_length=500)),
            ],
        ),
        migrations.CreateModel(
            name="InvoiceReminder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("level", models.PositiveIntegerField()),
                ("days", models.PositiveIntegerField()),
                ("sent_on", models.DateField()),
                ("open", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="KeptPayment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kept_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Refund",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("currency", models.CharField(max_length=3)),
                ("amount", models.BigIntegerField()),
                ("net", models.BigIntegerField(default=0)),
                (
                    "cover",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "nothing to cover"),
                            ("reserve", "the reserve"),
                            ("society", "the society itself"),
                        ],
                        default="",
                        max_length=7,
                    ),
                ),
                ("payee_name", models.CharField(max_length=140)),
                ("payee_account", models.CharField(max_length=34)),
                ("payee_bank", models.CharField(blank=True, default="", max_length=100)),
                ("reason", models.CharField(max_length=500)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("requested", "waits for a second person"),
                            ("approved", "to be paid"),
                            ("refused", "refused"),
                            ("cancelled", "cancelled"),
                            ("paid", "paid"),
                        ],
                        default="requested",
                        max_length=9,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="TaxDetails",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=10)),
                ("name", models.CharField(max_length=70)),
                ("representative", models.CharField(max_length=30)),
                ("address", models.CharField(blank=True, default="", max_length=150)),
                ("trade", models.CharField(blank=True, default="", max_length=40)),
                ("item", models.CharField(blank=True, default="", max_length=40)),
                ("email", models.CharField(blank=True, default="", max_length=100)),
            ],
        ),
        migrations.CreateModel(
            name="TaxInvoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("zero_rated", models.BooleanField(default=False)),
                ("amends", models.CharField(blank=True, default="", max_length=40)),
                ("written_on", models.DateField()),
                ("supply", models.BigIntegerField()),
                ("tax", models.BigIntegerField()),
                ("supplier", models.JSONField()),
                ("recipient", models.JSONField()),
                ("items", models.JSONField()),
                ("made_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="VatExemption",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "treatment",
                    models.CharField(choices=[("zero_rated", "zero-rated"), ("exempt", "exempt")], max_length=10),
                ),
                ("reason", models.CharField(max_length=300)),
                ("valid", django.contrib.postgres.fields.ranges.DateRangeField()),
            ],
        ),
        migrations.CreateModel(
            name="WriteOff",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "ground",
                    models.CharField(
                        choices=[("small", "small difference"), ("lost", "cannot be collected")], max_length=5
                    ),
                ),
                ("reason", models.CharField(max_length=500)),
                ("amount", models.BigIntegerField()),
                ("net", models.BigIntegerField(default=0)),
                ("vat", models.BigIntegerField(default=0)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("requested", "waits for a second person"),
                            ("approved", "written off"),
                            ("refused", "refused"),
                            ("resumed", "taken back"),
                        ],
                        default="requested",
                        max_length=9,
                    ),
                ),
                ("effective_on", models.DateField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="invoice",
            name="invoice_is_not_overpaid",
        ),
        migrations.RemoveConstraint(
            model_name="invoice",
            name="invoice_credit_note_is_not_paid",
        ),
        migrations.AddField(
            model_name="invoice",
            name="vat_basis",
            field=models.CharField(blank=True, default="", max_length=10),
        ),
        migrations.AddField(
            model_name="invoice",
            name="vat_percent",
            field=models.DecimalField(decimal_places=3, max_digits=6, null=True),
        ),
        migrations.AddField(
            model_name="invoice",
            name="written_off",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="receipt",
            name="charges",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="receipt",
            name="entry",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="royalties.entry"
            ),
        ),
        migrations.AddField(
            model_name="receipt",
            name="paid_amount",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="receipt",
            name="paid_currency",
            field=models.CharField(blank=True, default="", max_length=3),
        ),
        migrations.AddField(
            model_name="receipt",
            name="rate",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="royalties.exchangerate"
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind", "credit"),
                    models.Q(
                        ("carried__gte", 0),
                        ("credited__gte", 0),
                        ("received__gte", 0),
                        ("written_off__gte", 0),
                        (
                            "gross__gte",
                            django.db.models.expressions.CombinedExpression(
                                django.db.models.expressions.CombinedExpression(
                                    django.db.models.expressions.CombinedExpression(
                                        models.F("received"), "+", models.F("carried")
                                    ),
                                    "+",
                                    models.F("credited"),
                                ),
                                "+",
                                models.F("written_off"),
                            ),
                        ),
                    ),
                    _connector="OR",
                ),
                name="invoice_is_not_overpaid",
                violation_error_message="This receipt is more than the invoice still asks for.",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "credit"), _negated=True),
                    models.Q(("carried", 0), ("credited", models.F("gross")), ("received", 0), ("written_off", 0)),
                    _connector="OR",
                ),
                name="invoice_credit_note_is_not_paid",
            ),
        ),
        migrations.AddConstraint(
            model_name="receipt",
            constraint=models.CheckConstraint(
                condition=models.Q(("charges__gte", 0), ("charges__lt", models.F("amount"))),
                name="receipt_is_more_than_its_charges",
            ),
        ),
        migrations.AddConstraint(
            model_name="receipt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("paid_amount", None), ("paid_currency", ""), ("rate", None)),
                    models.Q(
                        ("paid_amount__gt", 0), ("rate__isnull", False), models.Q(("paid_currency", ""), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="receipt_in_another_currency_has_its_rate",
            ),
        ),
        migrations.AddField(
            model_name="dunningpolicy",
            name="society",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation"
            ),
        ),
        migrations.AddField(
            model_name="invoicedispute",
            name="invoice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="disputes", to="royalties.invoice"
            ),
        ),
        migrations.AddField(
            model_name="invoicereminder",
            name="invoice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="reminders", to="royalties.invoice"
            ),
        ),
        migrations.AddField(
            model_name="keptpayment",
            name="entry",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="royalties.entry"
            ),
        ),
        migrations.AddField(
            model_name="keptpayment",
            name="licence",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="licensing.licence"
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="cancelled_by",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="royalties.journal"
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="entry",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="royalties.entry"
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="journal",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="royalties.journal"
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="licence",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="licensing.licence"
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="licensee",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation"
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="paid_by",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="royalties.entry"
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="paid_journal",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="royalties.journal"
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="society",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation"
            ),
        ),
        migrations.AddField(
            model_name="taxdetails",
            name="organisation",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation"
            ),
        ),
        migrations.AddField(
            model_name="taxdetails",
            name="society",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation"
            ),
        ),
        migrations.AddField(
            model_name="taxinvoice",
            name="invoice",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="royalties.invoice"
            ),
        ),
        migrations.AddField(
            model_name="taxinvoice",
            name="society",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation"
            ),
        ),
        migrations.AddField(
            model_name="vatexemption",
            name="licensee",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation"
            ),
        ),
        migrations.AddField(
            model_name="vatexemption",
            name="society",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation"
            ),
        ),
        migrations.AddField(
            model_name="writeoff",
            name="invoice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="write_offs", to="royalties.invoice"
            ),
        ),
        migrations.AddField(
            model_name="writeoff",
            name="journal",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="royalties.journal"
            ),
        ),
        migrations.AddField(
            model_name="writeoff",
            name="reversal",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="royalties.journal"
            ),
        ),
        migrations.AddField(
            model_name="writeoff",
            name="society",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.organisation"
            ),
        ),
        migrations.AddConstraint(
            model_name="dunningpolicy",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
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
                    ("valid", "&&"),
                ],
                name="dunning_policy_is_one_a_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="dunningpolicy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("interest_percent", None),
                    models.Q(("interest_percent__gte", 0), models.Q(("interest_source", ""), _negated=True)),
                    _connector="OR",
                ),
                name="late_interest_has_a_source",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoicedispute",
            constraint=models.UniqueConstraint(
                condition=models.Q(("closed_on", None)), fields=("invoice",), name="invoice_is_disputed_once_at_a_time"
            ),
        ),
        migrations.AddConstraint(
            model_name="invoicereminder",
            constraint=models.UniqueConstraint(fields=("invoice", "level"), name="invoice_is_reminded_once_a_level"),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(fields=["society", "-id"], name="refund_by_society"),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0), ("net__gte", 0), ("net__lte", models.F("amount"))),
                name="refund_is_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("entry__isnull", False), ("licence", None), ("net", 0)),
                    models.Q(("entry", None), ("licence__isnull", False)),
                    _connector="OR",
                ),
                name="refund_has_one_source",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("paid_by__isnull", False), ("paid_journal__isnull", False), ("status", "paid")),
                    models.Q(models.Q(("status", "paid"), _negated=True), ("paid_by", None), ("paid_journal", None)),
                    _connector="OR",
                ),
                name="refund_is_paid_by_a_bank_entry",
            ),
        ),
        migrations.AddConstraint(
            model_name="refund",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("journal", None), ("status__in", ["requested", "refused"])),
                    models.Q(("cancelled_by", None), ("journal__isnull", False), ("status__in", ["approved", "paid"])),
                    ("status", "cancelled"),
                    _connector="OR",
                ),
                name="refund_is_set_apart_when_approved",
            ),
        ),
        migrations.AddConstraint(
            model_name="taxdetails",
            constraint=models.UniqueConstraint(fields=("society", "organisation"), name="tax_details_are_one_a_party"),
        ),
        migrations.AddConstraint(
            model_name="taxdetails",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__regex", "^[0-9]{10}$")), name="business_number_has_ten_digits"
            ),
        ),
        migrations.AddIndex(
            model_name="taxinvoice",
            index=models.Index(fields=["society", "written_on"], name="tax_invoice_by_day"),
        ),
        migrations.AddConstraint(
            model_name="taxinvoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("supply__gte", 0), ("tax__gte", 0)),
                    models.Q(("supply__lte", 0), ("tax__lte", 0)),
                    _connector="OR",
                ),
                name="tax_invoice_has_one_sign",
            ),
        ),
        migrations.AddConstraint(
            model_name="taxinvoice",
            constraint=models.CheckConstraint(
                condition=models.Q(("zero_rated", False), ("tax", 0), _connector="OR"),
                name="tax_invoice_zero_rated_bears_no_tax",
            ),
        ),
        migrations.AddConstraint(
            model_name="vatexemption",
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(
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
                            models.F("licensee"),
                            models.F("licensee"),
                            models.Value("[]"),
                            function="int8range",
                            output_field=django.contrib.postgres.fields.ranges.BigIntegerRangeField(),
                        ),
                        "&&",
                    ),
                    ("valid", "&&"),
                ],
                name="vat_exemption_is_one_a_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="vatexemption",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="vat_exemption_has_a_reason"
            ),
        ),
        migrations.AddIndex(
            model_name="writeoff",
            index=models.Index(fields=["society", "-id"], name="write_off_by_society"),
        ),
        migrations.AddConstraint(
            model_name="writeoff",
            constraint=models.UniqueConstraint(
                condition=models.Q(("status", "requested")), fields=("invoice",), name="write_off_is_asked_for_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="writeoff",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0), ("net__gte", 0), ("vat__gte", 0)), name="write_off_is_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="writeoff",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("journal", None), ("net", 0), ("status__in", ["requested", "refused"]), ("vat", 0)),
                    models.Q(
                        (
                            "amount",
                            django.db.models.expressions.CombinedExpression(models.F("net"), "+", models.F("vat")),
                        ),
                        ("journal__isnull", False),
                        ("status__in", ["approved", "resumed"]),
                    ),
                    _connector="OR",
                ),
                name="write_off_is_booked_when_approved",
            ),
        ),
        migrations.AddConstraint(
            model_name="writeoff",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("reversal__isnull", False), ("status", "resumed")),
                    models.Q(models.Q(("status", "resumed"), _negated=True), ("reversal", None)),
                    _connector="OR",
                ),
                name="write_off_resumed_is_reversed",
            ),
        ),
        migrations.RunSQL(KINDS, migrations.RunSQL.noop),
    ]
