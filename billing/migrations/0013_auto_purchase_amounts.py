from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0012_auto_purchase_targets"),
        ("members", "0011_members_table"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="autopurchaseconsent",
            name="auto_purchase_consent_amounts",
        ),
        migrations.RemoveConstraint(
            model_name="autopurchaserule",
            name="auto_purchase_amount_or_target",
        ),
        migrations.AddConstraint(
            model_name="autopurchaseconsent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        models.Q(("amount__gt", 0), ("amount__isnull", False), ("target", None)),
                        models.Q(("amount", None), ("target__gt", 0), ("target__isnull", False)),
                        _connector="OR",
                    ),
                    ("level__gt", 0),
                    models.Q(
                        ("amount", None),
                        ("monthly_limit__gte", models.F("amount")),
                        _connector="OR",
                    ),
                    models.Q(
                        ("target", None),
                        ("monthly_limit__gte", models.F("target")),
                        _connector="OR",
                    ),
                ),
                name="auto_purchase_consent_amounts",
            ),
        ),
        migrations.AddConstraint(
            model_name="autopurchaserule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount__gt", 0), ("amount__isnull", False), ("target", None)),
                    models.Q(("amount", None), ("target__gt", 0), ("target__isnull", False)),
                    _connector="OR",
                ),
                name="auto_purchase_amount_or_target",
            ),
        ),
    ]
