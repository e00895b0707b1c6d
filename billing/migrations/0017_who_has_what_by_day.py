"""Who has what is sorted by day and narrowed by state without reading the features themselves."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0016_renewals_ahead")]

    operations = [
        migrations.RemoveIndex(model_name="subscription", name="subscription_who_has_what"),
        migrations.AddIndex(
            model_name="subscription",
            index=models.Index(
                condition=models.Q(("status", "ended"), _negated=True),
                fields=["company", "kind", "member"],
                include=("paid_until", "status", "renews"),
                name="subscription_who_has_what",
            ),
        ),
    ]
