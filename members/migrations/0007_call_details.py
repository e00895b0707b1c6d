"""Consent to call details, and the company's switch; both off."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("members", "0006_invitation_links")]

    operations = [
        migrations.AddField(
            model_name="company",
            name="call_details_on",
            field=models.BooleanField(default=False, verbose_name="call details"),
        ),
        migrations.AddField(
            model_name="member",
            name="call_details_consent_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]
