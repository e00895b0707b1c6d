from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0002_notice_claims"),
    ]

    operations = [
        migrations.AddField(
            model_name="invitation",
            name="claimed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
