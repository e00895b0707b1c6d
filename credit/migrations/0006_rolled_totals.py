"""Finished days rolled up by company, list and cost centre."""

import django.db.models.deletion
from django.db import migrations, models

KINDS = [
    ("purchase", "Purchase"),
    ("allocation", "Allocation"),
    ("auto_recharge", "Auto-recharge"),
    ("call", "Call"),
    ("feature", "Feature"),
    ("adjustment", "Adjustment"),
    ("reversal", "Reversal"),
]
LEVELS = [
    ("company", "Company"),
    ("members", "Members"),
    ("list", "List"),
    ("cost_centre", "Cost Centre"),
]


class Migration(migrations.Migration):
    dependencies = [("credit", "0005_world_wide_numbers"), ("members", "0005_placements")]

    operations = [
        migrations.AddField(
            model_name="dailytotal",
            name="is_rolled",
            field=models.BooleanField(db_default=False),
        ),
        migrations.AddIndex(
            model_name="dailytotal",
            index=models.Index(
                condition=models.Q(("is_rolled", False)),
                fields=["company", "day"],
                name="daily_total_not_rolled",
            ),
        ),
        migrations.CreateModel(
            name="RolledTotal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("level", models.CharField(choices=LEVELS, max_length=11)),
                ("day", models.DateField()),
                ("cost_centre", models.CharField(blank=True, max_length=40)),
                ("kind", models.CharField(choices=KINDS, max_length=13)),
                ("incoming", models.DecimalField(decimal_places=4, max_digits=18)),
                ("outgoing", models.DecimalField(decimal_places=4, max_digits=18)),
                ("moves_count", models.IntegerField()),
                (
                    "company",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.company",
                    ),
                ),
                (
                    "list",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.memberlist",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="rolledtotal",
            constraint=models.UniqueConstraint(
                models.F("company"),
                models.F("level"),
                models.F("day"),
                models.F("list"),
                models.F("cost_centre"),
                models.F("kind"),
                name="rolled_total_unique",
                nulls_distinct=False,
            ),
        ),
    ]
