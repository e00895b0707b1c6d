"""Indexes that another begins with, and keys that a composite one holds already, are gone."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("credit", "0013_started_on"),
        ("members", "0014_fewer_indexes"),
    ]

    operations = [
        migrations.AlterField(
            model_name="call",
            name="member",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="calls",
                to="members.member",
            ),
        ),
        migrations.AlterField(
            model_name="outsiderequest",
            name="company",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="members.company",
            ),
        ),
    ]
