"""Sums of calls by member and year. All sums are made anew by the next roll-ups; until then they are
read from the calls.
"""

from django.db import migrations, models

EMPTY = (
    "DELETE FROM credit_usageday",
    "DELETE FROM credit_usagemember",
    "DELETE FROM credit_usagerolled",
)


class Migration(migrations.Migration):
    dependencies = [("credit", "0014_fewer_indexes")]

    operations = [
        migrations.RunSQL(EMPTY, EMPTY),
        migrations.RemoveConstraint(model_name="usagemember", name="usage_member_unique"),
        migrations.AddField(
            model_name="usagemember",
            name="period",
            field=models.CharField(
                choices=[("month", "Month"), ("year", "Year")], default="month", max_length=5
            ),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="usagemember",
            constraint=models.UniqueConstraint(
                models.F("company"),
                models.F("period"),
                models.F("month"),
                models.F("member"),
                models.F("list"),
                models.F("cost_centre"),
                models.F("booked_month"),
                name="usage_member_unique",
                nulls_distinct=False,
            ),
        ),
    ]
