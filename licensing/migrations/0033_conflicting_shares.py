from pathlib import Path

import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.db import migrations, models

import licensing.disputes
import licensing.disputes.models
from accounts.identity.sql import sql_file


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_webhooks'),
        ('licensing', '0032_audits_by_units'),
    ]

    operations = [
        migrations.CreateModel(
            name='DisputeLook',
            fields=[
                ('society', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='accounts.organisation')),
                ('register', models.CharField(blank=True, max_length=80)),
                ('looked_at', models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name='Dispute',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('overclaimed', 'shares over the whole'), ('share', 'a share is disputed')], max_length=11)),
                ('role', models.CharField(blank=True, max_length=20)),
                ('days', django.contrib.postgres.fields.ranges.DateRangeField()),
                ('claimed', models.BigIntegerField()),
                ('claims', models.JSONField(default=list)),
                ('reason', models.CharField(blank=True, max_length=2000)),
                ('raised_by', models.BigIntegerField(null=True)),
                ('opened_on', models.DateField()),
                ('due_on', models.DateField()),
                ('reminded', models.PositiveSmallIntegerField(null=True)),
                ('status', models.CharField(choices=[('open', 'open'), ('settled', 'settled'), ('decided', 'decided'), ('withdrawn', 'withdrawn')], default='open', max_length=9)),
                ('revision', models.PositiveIntegerField(default=0)),
                ('split', models.JSONField(default=list)),
                ('since', models.DateField(null=True)),
                ('proposed_by', models.CharField(blank=True, max_length=200)),
                ('ground', models.CharField(blank=True, max_length=2000)),
                ('outcome', models.CharField(blank=True, max_length=2000)),
                ('ended_at', models.DateTimeField(null=True)),
                ('document', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='licensing.storedfile')),
                ('holder', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='licensing.holder')),
                ('society', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation')),
                ('work', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='licensing.work')),
            ],
        ),
        migrations.CreateModel(
            name='DisputeParty',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.CharField(choices=[('silent', 'no answer yet'), ('agreed', 'agrees'), ('objected', 'objects')], db_default='silent', default='silent', max_length=8)),
                ('agreed_to', models.PositiveIntegerField(null=True)),
                ('statement', models.CharField(blank=True, db_default='', max_length=2000)),
                ('answered_at', models.DateTimeField(null=True)),
                ('answered_by', models.CharField(blank=True, db_default='', max_length=200)),
                ('dispute', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='parties', to='licensing.dispute')),
                ('evidence', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='licensing.storedfile')),
                ('holder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='licensing.holder')),
            ],
        ),
        migrations.CreateModel(
            name='DisputeTerms',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('valid_from', models.DateField()),
                ('answer_days', models.PositiveSmallIntegerField(default=30)),
                ('reminders', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(), default=licensing.disputes.models._reminders, size=None)),
                ('society', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation')),
            ],
        ),
        migrations.AddIndex(
            model_name='dispute',
            index=models.Index(fields=['society', 'status', 'due_on', 'id'], name='dispute_by_society'),
        ),
        migrations.AddIndex(
            model_name='dispute',
            index=models.Index(fields=['work'], name='dispute_by_work'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'overclaimed'), ('status', 'open')), fields=('work',), name='work_is_overclaimed_in_one_dispute'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'share'), ('status', 'open')), fields=('work', 'holder', 'role'), name='share_is_disputed_once_at_a_time'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('holder__isnull', False), ('kind', 'share')), models.Q(('holder', None), ('kind', 'overclaimed')), _connector='OR'), name='dispute_about_a_share_names_its_holder'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('status', 'open')), models.Q(models.Q(('status', 'open'), _negated=True), ('ended_at__isnull', False)), _connector='OR'), name='dispute_has_ended_or_is_open'),
        ),
        migrations.AddConstraint(
            model_name='dispute',
            constraint=models.CheckConstraint(condition=models.Q(('due_on__gt', models.F('opened_on'))), name='dispute_leaves_time_to_answer'),
        ),
        migrations.AddIndex(
            model_name='disputeparty',
            index=models.Index(fields=['holder', 'dispute'], name='dispute_by_holder'),
        ),
        migrations.AddConstraint(
            model_name='disputeparty',
            constraint=models.UniqueConstraint(fields=('dispute', 'holder'), name='dispute_hears_a_holder_once'),
        ),
        migrations.AddConstraint(
            model_name='disputeparty',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('position', 'agreed'), _negated=True), ('agreed_to__isnull', False), _connector='OR'), name='dispute_party_agrees_to_a_proposal'),
        ),
        migrations.AddConstraint(
            model_name='disputeterms',
            constraint=models.UniqueConstraint(fields=('society', 'valid_from'), name='dispute_terms_begin_once_a_day'),
        ),
        migrations.AddConstraint(
            model_name='disputeterms',
            constraint=models.CheckConstraint(condition=models.Q(('answer_days__gte', 7), ('answer_days__lte', 365)), name='dispute_terms_leave_a_week_to_a_year'),
        ),
        sql_file(Path(licensing.disputes.__file__).with_name("disputes.sql")),
    ]
