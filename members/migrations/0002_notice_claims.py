from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="notice",
            name="mail_claimed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
