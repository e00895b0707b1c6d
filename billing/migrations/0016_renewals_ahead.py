"""What could not be paid is found again when the balance has moved; what is ahead is read alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0015_phone_settings")]

    operations = [
        migrations.AddField(
            model_name="subscription",
            name="failed_at_version",
            field=models.BigIntegerField(blank=True, null=True),
        ),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                condition=models.Q(("charge_on__isnull", False)),
                fields=["company", "paid_until"],
                include=(
                    "plan",
                    "months",
                    "next_plan",
                    "next_months",
                    "anchor_day",
                    "last_failed_on",
                    "charge_on",
                ),
                name="subscription_ahead",
            ),
        ),
    ]
