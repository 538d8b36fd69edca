from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('royalties', '0021_sister_sums'),
    ]

    operations = [
        migrations.CreateModel(
            name='Outstanding',
            fields=[
                ('allocation_id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('scheme', models.CharField(max_length=12)),
                ('value', models.CharField(max_length=2048)),
                ('status', models.CharField(choices=[('payable', 'payable'), ('held', 'held'), ('suspense', 'suspense')], max_length=10)),
                ('reason', models.CharField(choices=[('', ''), ('unmatched', 'the identifier matches no work yet'), ('no_share', 'no holder is recorded for this part'), ('overclaimed', 'the shares claim more than the whole work'), ('disputed', 'the share is disputed'), ('reserved', 'its use was reserved on that day'), ('unmandated', 'not every holder had given a mandate on that day'), ('unlicensed', 'the licence does not cover the work that it is'), ('free', 'the work was in the public domain on that day'), ('individual', 'its holders had licensed it directly')], max_length=12)),
                ('used_on', models.DateField()),
                ('amount', models.BigIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('taken_by_id', models.BigIntegerField(null=True)),
                ('collected_on', models.DateField(null=True)),
                ('allocated_on', models.DateField(null=True)),
                ('noticed_on', models.DateField(null=True)),
                ('rule_id', models.BigIntegerField(null=True)),
                ('rule', models.CharField(max_length=64, null=True)),
                ('starts_on', models.DateField(null=True)),
                ('pay_by', models.DateField(null=True)),
                ('inform_by', models.DateField(null=True)),
                ('publish_by', models.DateField(null=True)),
                ('expires_on', models.DateField(null=True)),
            ],
            options={
                'db_table': 'royalties_outstandingclock',
                'managed': False,
            },
        ),
    ]
