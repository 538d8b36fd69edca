import json
from pathlib import Path

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.postgresql.psycopg_any import DateRange

import royalties.outstanding
from accounts.identity.sql import sql_file
from royalties.outstanding.core import read_law

LAWS = ("eu", "kr")  # as the data files state them; a later change of a law is a later migration


def put_laws(apps, schema_editor):
    rules = apps.get_model("royalties", "ClockRule")
    for law in LAWS:
        text = Path(royalties.outstanding.__file__).with_name("law").joinpath(f"{law}.json").read_text(encoding="utf-8")
        for rule in read_law(json.loads(text)):
            rules.objects.create(
                name=rule.name, jurisdiction=rule.jurisdiction, basis=rule.basis, reason=rule.reason,
                valid=DateRange(rule.valid_from, rule.valid_to), starts_from=rule.starts_from, pay=rule.pay, inform=rule.inform,
                publish=rule.publish, expire=rule.expire, source=rule.source,
            )


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_webhooks'),
        ('licensing', '0033_conflicting_shares'),
        ('royalties', '0016_money_that_moves_again'),
    ]

    operations = [
        migrations.CreateModel(
            name='ClockTerms',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=64)),
                ('version', models.PositiveIntegerField()),
                ('document', models.JSONField()),
                ('sha256', models.CharField(max_length=64)),
                ('jurisdiction', models.CharField(max_length=2)),
                ('year_end_month', models.PositiveSmallIntegerField()),
                ('remuneration_tariffs', models.JSONField(default=list)),
                ('valid', django.contrib.postgres.fields.ranges.DateRangeField()),
                ('status', models.CharField(choices=[('proposed', 'proposed'), ('approved', 'approved'), ('refused', 'refused')], default='proposed', max_length=10)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('society', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation')),
            ],
        ),
        migrations.CreateModel(
            name='ClockRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=64)),
                ('jurisdiction', models.CharField(max_length=2)),
                ('basis', models.CharField(max_length=12)),
                ('reason', models.CharField(max_length=12)),
                ('valid', django.contrib.postgres.fields.ranges.DateRangeField()),
                ('starts_from', models.CharField(max_length=10)),
                ('pay', models.PositiveSmallIntegerField(null=True)),
                ('inform', models.PositiveSmallIntegerField(null=True)),
                ('publish', models.PositiveSmallIntegerField(null=True)),
                ('expire', models.PositiveSmallIntegerField(null=True)),
                ('source', models.CharField(blank=True, max_length=300)),
                ('terms', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='rules', to='royalties.clockterms')),
            ],
        ),
        migrations.CreateModel(
            name='ExpiryWarning',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('currency', models.CharField(max_length=3)),
                ('days', models.PositiveSmallIntegerField()),
                ('warned_on', models.DateField()),
                ('first_expires_on', models.DateField()),
                ('allocations', models.BigIntegerField()),
                ('amount', models.BigIntegerField()),
                ('society', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation')),
            ],
        ),
        migrations.CreateModel(
            name='PublicNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('published_on', models.DateField()),
                ('published_at', models.DateTimeField(auto_now_add=True)),
                ('published_by', models.CharField(max_length=200)),
                ('entries', models.BigIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('society', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation')),
            ],
        ),
        migrations.CreateModel(
            name='NoticeEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=2080)),
                ('title', models.CharField(blank=True, max_length=1000)),
                ('creators', models.CharField(blank=True, max_length=2000)),
                ('identifier', models.CharField(blank=True, max_length=2080)),
                ('reason', models.CharField(max_length=12)),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('expired', 'cannot be claimed any more')], max_length=8)),
                ('since', models.DateField()),
                ('expires_on', models.DateField(null=True)),
                ('notice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='royalties.publicnotice')),
            ],
        ),
        migrations.CreateModel(
            name='NoticedAllocation',
            fields=[
                ('allocation_id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('noticed_on', models.DateField()),
                ('notice', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='royalties.publicnotice')),
            ],
        ),
        migrations.CreateModel(
            name='Resolution',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('currency', models.CharField(max_length=3)),
                ('text', models.CharField(max_length=4000)),
                ('ground', models.CharField(max_length=1000)),
                ('reason', models.CharField(blank=True, max_length=12)),
                ('expired_by', models.DateField()),
                ('allocations', models.BigIntegerField()),
                ('amount', models.BigIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('status', models.CharField(choices=[('requested', 'waits for a second person'), ('executed', 'carried out'), ('refused', 'refused')], default='requested', max_length=10)),
                ('requested_by', models.CharField(max_length=200)),
                ('requested_at', models.DateTimeField(auto_now_add=True)),
                ('decided_by', models.CharField(blank=True, max_length=200)),
                ('decided_at', models.DateTimeField(null=True)),
                ('document', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='licensing.storedfile')),
                ('journal', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='royalties.journal')),
                ('society', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation')),
            ],
        ),
        migrations.CreateModel(
            name='ResolutionAllocation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('allocation_id', models.BigIntegerField()),
                ('amount', models.BigIntegerField()),
                ('resolution', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='royalties.resolution')),
            ],
        ),
        migrations.CreateModel(
            name='Tracing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=200)),
                ('plan', models.CharField(blank=True, max_length=2000)),
                ('begun_on', models.DateField()),
                ('until', models.DateField()),
                ('closed_on', models.DateField(null=True)),
                ('finding', models.CharField(blank=True, max_length=2000)),
                ('society', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation')),
            ],
        ),
        migrations.CreateModel(
            name='Attempt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scheme', models.CharField(blank=True, max_length=12)),
                ('value', models.CharField(blank=True, max_length=2048)),
                ('channel', models.CharField(choices=[('email', 'e-mail'), ('phone', 'telephone'), ('letter', 'letter'), ('publisher', 'publisher or employer'), ('society', 'another society'), ('register', 'register or database'), ('press', 'newspaper or website'), ('other', 'other')], max_length=10)),
                ('result', models.CharField(choices=[('no_answer', 'no answer yet'), ('found', 'found'), ('returned', 'returned, or the address is unknown'), ('not_theirs', 'not theirs'), ('declined', 'declined')], max_length=10)),
                ('made_on', models.DateField()),
                ('note', models.CharField(blank=True, max_length=1000)),
                ('logged_by', models.CharField(max_length=200)),
                ('logged_at', models.DateTimeField(auto_now_add=True)),
                ('holder', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='licensing.holder')),
                ('society', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.organisation')),
                ('work', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='licensing.work')),
                ('tracing', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='attempts', to='royalties.tracing')),
            ],
        ),
        migrations.CreateModel(
            name='WarnedAllocation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('allocation_id', models.BigIntegerField()),
                ('days', models.PositiveSmallIntegerField()),
                ('warning', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='royalties.expirywarning')),
            ],
        ),
        migrations.AddConstraint(
            model_name='clockterms',
            constraint=models.UniqueConstraint(fields=('society', 'version'), name='clock_terms_have_their_own_number'),
        ),
        migrations.AddConstraint(
            model_name='clockterms',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('status', 'approved')), expressions=[(models.Func(models.F('society'), models.F('society'), models.Value('[]'), function='int8range', output_field=django.contrib.postgres.fields.ranges.BigIntegerRangeField()), '&&'), ('valid', '&&')], name='clock_terms_are_one_a_day', violation_error_message='Other approved terms are in force on some of these days.'),
        ),
        migrations.AddConstraint(
            model_name='clockterms',
            constraint=models.CheckConstraint(condition=models.Q(('year_end_month__gte', 1), ('year_end_month__lte', 12)), name='clock_terms_end_a_year'),
        ),
        migrations.AddIndex(
            model_name='clockrule',
            index=models.Index(fields=['jurisdiction', 'reason'], name='clock_rule_by_reason'),
        ),
        migrations.AddConstraint(
            model_name='clockrule',
            constraint=models.CheckConstraint(condition=models.Q(('starts_from__in', ['year_end', 'notice', 'allocation'])), name='clock_rule_starts_from_something'),
        ),
        migrations.AddIndex(
            model_name='expirywarning',
            index=models.Index(fields=['society', '-id'], name='expiry_warning_by_society'),
        ),
        migrations.AddIndex(
            model_name='publicnotice',
            index=models.Index(fields=['society', '-number'], name='public_notice_by_society'),
        ),
        migrations.AddConstraint(
            model_name='publicnotice',
            constraint=models.UniqueConstraint(fields=('society', 'number'), name='public_notice_has_its_own_number'),
        ),
        migrations.AddIndex(
            model_name='noticeentry',
            index=models.Index(fields=['notice', 'id'], name='notice_entry_by_notice'),
        ),
        migrations.AddIndex(
            model_name='noticeentry',
            index=django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.search.SearchVector('title', 'creators', 'identifier', config='simple'), name='notice_entry_by_words'),
        ),
        migrations.AddIndex(
            model_name='resolution',
            index=models.Index(fields=['society', '-id'], name='resolution_by_society'),
        ),
        migrations.AddConstraint(
            model_name='resolution',
            constraint=models.CheckConstraint(condition=models.Q(('allocations__gt', 0), ('amount__gt', 0)), name='resolution_is_about_something'),
        ),
        migrations.AddConstraint(
            model_name='resolution',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('journal__isnull', False), ('status', 'executed')), models.Q(models.Q(('status', 'executed'), _negated=True), ('journal', None)), _connector='OR'), name='resolution_is_carried_out_by_a_journal'),
        ),
        migrations.AddConstraint(
            model_name='resolutionallocation',
            constraint=models.UniqueConstraint(fields=('resolution', 'allocation_id'), name='resolution_lists_an_amount_once'),
        ),
        migrations.AddConstraint(
            model_name='tracing',
            constraint=models.CheckConstraint(condition=models.Q(('until__gte', models.F('begun_on'))), name='tracing_ends_after_it_begins'),
        ),
        migrations.AddIndex(
            model_name='attempt',
            index=models.Index(fields=['society', '-id'], name='attempt_by_society'),
        ),
        migrations.AddIndex(
            model_name='attempt',
            index=models.Index(condition=models.Q(('work__isnull', False)), fields=['work'], name='attempt_by_work'),
        ),
        migrations.AddIndex(
            model_name='attempt',
            index=models.Index(condition=models.Q(('holder__isnull', False)), fields=['holder'], name='attempt_by_holder'),
        ),
        migrations.AddIndex(
            model_name='attempt',
            index=models.Index(condition=models.Q(('value', ''), _negated=True), fields=['scheme', 'value'], name='attempt_by_identifier'),
        ),
        migrations.AddConstraint(
            model_name='attempt',
            constraint=models.CheckConstraint(condition=models.Q(('holder__isnull', False), ('work__isnull', False), models.Q(('value', ''), _negated=True), _connector='OR'), name='attempt_is_about_someone'),
        ),
        migrations.AddConstraint(
            model_name='warnedallocation',
            constraint=models.UniqueConstraint(fields=('allocation_id', 'days'), name='amount_is_warned_of_once'),
        ),
        sql_file(Path(royalties.outstanding.__file__).with_name("outstanding.sql")),
        migrations.RunPython(put_laws, migrations.RunPython.noop),
    ]
