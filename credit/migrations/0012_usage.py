"""Sums of calls, and the day on which a call started (filled by the next one)."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("credit", "0011_month_closing"), ("members", "0012_month_closing")]

    operations = [
        migrations.CreateModel(
            name="UsageDay",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("calls_count", models.IntegerField()),
                ("duration_seconds", models.BigIntegerField()),
                ("billed_seconds", models.BigIntegerField()),
                ("included_seconds", models.BigIntegerField()),
                ("price", models.DecimalField(decimal_places=4, max_digits=18)),
                ("collected", models.DecimalField(decimal_places=4, max_digits=18)),
                ("uncollected", models.DecimalField(decimal_places=4, max_digits=18)),
                ("booked_on", models.DateField()),
                ("started_on", models.DateField()),
                (
                    "level",
                    models.CharField(
                        choices=[
                            ("company", "Company"),
                            ("list", "List"),
                            ("cost_centre", "Cost Centre"),
                            ("destination", "Destination"),
                            ("list_cost_centre", "List Cost Centre"),
                            ("list_destination", "List Destination"),
                            ("cost_centre_destination", "Cost Centre Destination"),
                        ],
                        max_length=23,
                    ),
                ),
                ("cost_centre", models.CharField(blank=True, max_length=40)),
                ("country", models.CharField(blank=True, max_length=3)),
                ("kind", models.CharField(blank=True, max_length=20)),
            ],
        ),
        migrations.CreateModel(
            name="UsageLate",
            fields=[
                (
                    "call",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="credit.call",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="UsageMember",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("calls_count", models.IntegerField()),
                ("duration_seconds", models.BigIntegerField()),
                ("billed_seconds", models.BigIntegerField()),
                ("included_seconds", models.BigIntegerField()),
                ("price", models.DecimalField(decimal_places=4, max_digits=18)),
                ("collected", models.DecimalField(decimal_places=4, max_digits=18)),
                ("uncollected", models.DecimalField(decimal_places=4, max_digits=18)),
                ("month", models.DateField()),
                ("booked_month", models.DateField()),
                ("cost_centre", models.CharField(blank=True, max_length=40)),
            ],
        ),
        migrations.CreateModel(
            name="UsageRolled",
            fields=[
                (
                    "company",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="members.company",
                    ),
                ),
                ("since", models.DateField()),
                ("through", models.DateField()),
            ],
        ),
        migrations.AddField(
            model_name="call",
            name="started_on",
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name="usageday",
            name="company",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="members.company",
            ),
        ),
        migrations.AddField(
            model_name="usageday",
            name="list",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="members.memberlist",
            ),
        ),
        migrations.AddField(
            model_name="usagelate",
            name="company",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="members.company",
            ),
        ),
        migrations.AddField(
            model_name="usagemember",
            name="company",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="members.company",
            ),
        ),
        migrations.AddField(
            model_name="usagemember",
            name="list",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="members.memberlist",
            ),
        ),
        migrations.AddField(
            model_name="usagemember",
            name="member",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="members.member",
            ),
        ),
        migrations.AddConstraint(
            model_name="usagerolled",
            constraint=models.CheckConstraint(
                condition=models.Q(("through__gte", models.F("since"))),
                name="usage_rolled_through_after_since",
            ),
        ),
        migrations.AddIndex(
            model_name="usageday",
            index=models.Index(
                condition=models.Q(("level__in", ("list_cost_centre", "list_destination"))),
                fields=["company", "level", "list", "started_on"],
                name="usage_day_within_list",
            ),
        ),
        migrations.AddIndex(
            model_name="usageday",
            index=models.Index(
                condition=models.Q(("level__in", ("list_cost_centre", "cost_centre_destination"))),
                fields=["company", "level", "cost_centre", "started_on"],
                name="usage_day_within_cost_centre",
            ),
        ),
        migrations.AddConstraint(
            model_name="usageday",
            constraint=models.UniqueConstraint(
                models.F("company"),
                models.F("level"),
                models.F("started_on"),
                models.F("list"),
                models.F("cost_centre"),
                models.F("country"),
                models.F("kind"),
                models.F("booked_on"),
                name="usage_day_unique",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="usageday",
            constraint=models.CheckConstraint(
                condition=models.Q(("booked_on__gte", models.F("started_on"))),
                name="usage_day_booked_after_start",
            ),
        ),
        migrations.AddConstraint(
            model_name="usagemember",
            constraint=models.UniqueConstraint(
                models.F("company"),
                models.F("month"),
                models.F("member"),
                models.F("list"),
                models.F("cost_centre"),
                models.F("booked_month"),
                name="usage_member_unique",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="usagemember",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("booked_month__day", 1),
                    ("booked_month__gte", models.F("month")),
                    ("month__day", 1),
                ),
                name="usage_member_by_months",
            ),
        ),
    ]
