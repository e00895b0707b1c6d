"""Companies can change their time zone, from the 1st of a month on."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("members", "0003_invitation_claims")]

    operations = [
        migrations.AddField(
            model_name="company",
            name="next_time_zone",
            field=models.CharField(blank=True, default="", editable=False, max_length=64),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="company",
            name="next_time_zone_on",
            field=models.DateField(blank=True, editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name="company",
            constraint=models.CheckConstraint(
                condition=models.Q(("next_time_zone", ""), ("next_time_zone_on", None))
                | models.Q(
                    models.Q(("next_time_zone", ""), _negated=True),
                    ("next_time_zone_on__isnull", False),
                ),
                name="company_next_time_zone_complete",
            ),
        ),
    ]
