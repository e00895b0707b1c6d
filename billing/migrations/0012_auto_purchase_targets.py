"""The company's auto-recharge: bring back to a balance, why it pauses, and its history."""

import django.db.models.deletion
from django.db import migrations, models

WHY_PAUSED = (
    "UPDATE billing_autopurchaserule SET paused_because = 'declined' WHERE state = 'paused'"
)

OF_SAME_COMPANY = """
ALTER TABLE billing_paymentmethod
  ADD CONSTRAINT payment_method_company_of_id UNIQUE (id, company_id);
ALTER TABLE billing_autopurchaserule
  ADD CONSTRAINT auto_purchase_method_of_same_company
  FOREIGN KEY (method_id, company_id) REFERENCES billing_paymentmethod (id, company_id);
ALTER TABLE billing_autopurchaseconsent
  ADD CONSTRAINT consent_method_of_same_company
  FOREIGN KEY (method_id, company_id) REFERENCES billing_paymentmethod (id, company_id);
"""
DROP_OF_SAME_COMPANY = """
ALTER TABLE billing_autopurchaseconsent DROP CONSTRAINT consent_method_of_same_company;
ALTER TABLE billing_autopurchaserule DROP CONSTRAINT auto_purchase_method_of_same_company;
ALTER TABLE billing_paymentmethod DROP CONSTRAINT payment_method_company_of_id;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0011_gateway_events"),
        ("members", "0011_members_table"),
    ]

    operations = [
        migrations.CreateModel(
            name="AutoPurchaseOutcome",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("started", "A purchase was started"),
                            ("purchased", "Credit was bought"),
                            ("declined", "The payment was declined"),
                            ("needs_authentication", "The bank asks for authentication"),
                            ("expired", "The payment was not completed in time"),
                            ("limit_reached", "The monthly limit would be passed"),
                            ("purchase_limit", "A limit on purchases would be passed"),
                            ("amount_refused", "The amount cannot be bought any more"),
                            ("stopped", "Stopped for now by the operator"),
                            ("method_removed", "The payment method was removed"),
                            ("many_charges", "Three charges within ten minutes"),
                        ],
                        max_length=30,
                    ),
                ),
                ("at", models.DateTimeField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="autopurchaseconsent",
            name="auto_purchase_consent_amounts",
        ),
        migrations.RemoveConstraint(
            model_name="autopurchaserule",
            name="auto_purchase_amounts_positive",
        ),
        migrations.AddField(
            model_name="autopurchaseconsent",
            name="target",
            field=models.DecimalField(blank=True, decimal_places=4, max_digits=18, null=True),
        ),
        migrations.AddField(
            model_name="autopurchaserule",
            name="outcome_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="autopurchaserule",
            name="paused_because",
            field=models.CharField(
                blank=True,
                choices=[
                    ("declined", "The payment was declined"),
                    ("not_authenticated", "The payment was not confirmed at the bank"),
                    ("method_removed", "The payment method was removed"),
                    ("many_charges", "Three charges within ten minutes"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="autopurchaserule",
            name="resumed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="autopurchaserule",
            name="target",
            field=models.DecimalField(
                blank=True, decimal_places=4, max_digits=18, null=True, verbose_name="bring back to"
            ),
        ),
        migrations.AlterField(
            model_name="autopurchaseconsent",
            name="amount",
            field=models.DecimalField(blank=True, decimal_places=4, max_digits=18, null=True),
        ),
        migrations.AlterField(
            model_name="autopurchaseconsent",
            name="method",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="billing.paymentmethod",
            ),
        ),
        migrations.AlterField(
            model_name="autopurchaserule",
            name="amount",
            field=models.DecimalField(
                blank=True, decimal_places=4, max_digits=18, null=True, verbose_name="amount to buy"
            ),
        ),
        migrations.AlterField(
            model_name="autopurchaserule",
            name="last_outcome",
            field=models.CharField(
                blank=True,
                choices=[
                    ("started", "A purchase was started"),
                    ("purchased", "Credit was bought"),
                    ("declined", "The payment was declined"),
                    ("needs_authentication", "The bank asks for authentication"),
                    ("expired", "The payment was not completed in time"),
                    ("limit_reached", "The monthly limit would be passed"),
                    ("purchase_limit", "A limit on purchases would be passed"),
                    ("amount_refused", "The amount cannot be bought any more"),
                    ("stopped", "Stopped for now by the operator"),
                    ("method_removed", "The payment method was removed"),
                    ("many_charges", "Three charges within ten minutes"),
                ],
                max_length=30,
            ),
        ),
        migrations.RunSQL(WHY_PAUSED, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="autopurchaseconsent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        models.Q(("amount__gt", 0), ("target", None)),
                        models.Q(("amount", None), ("target__gt", 0)),
                        _connector="OR",
                    ),
                    ("level__gt", 0),
                    models.Q(
                        ("monthly_limit__gte", models.F("amount")),
                        ("monthly_limit__gte", models.F("target")),
                        _connector="OR",
                    ),
                ),
                name="auto_purchase_consent_amounts",
            ),
        ),
        migrations.AddConstraint(
            model_name="autopurchaseconsent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("method__isnull", False), ("purchase__isnull", False), _connector="OR"
                ),
                name="auto_purchase_consent_names_payer",
            ),
        ),
        migrations.AddConstraint(
            model_name="autopurchaserule",
            constraint=models.CheckConstraint(
                condition=models.Q(("level__gt", 0), ("monthly_limit__gt", 0)),
                name="auto_purchase_amounts_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="autopurchaserule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount__gt", 0), ("target", None)),
                    models.Q(("amount", None), ("target__gt", 0)),
                    _connector="OR",
                ),
                name="auto_purchase_amount_or_target",
            ),
        ),
        migrations.AddConstraint(
            model_name="autopurchaserule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "paused"), models.Q(("paused_because", ""), _negated=True)),
                    models.Q(models.Q(("state", "paused"), _negated=True), ("paused_because", "")),
                    _connector="OR",
                ),
                name="auto_purchase_paused_because",
            ),
        ),
        migrations.AddField(
            model_name="autopurchaseoutcome",
            name="company",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.company"
            ),
        ),
        migrations.AddField(
            model_name="autopurchaseoutcome",
            name="purchase",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="billing.purchase",
            ),
        ),
        migrations.AddField(
            model_name="autopurchaseoutcome",
            name="rule",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="outcomes",
                to="billing.autopurchaserule",
            ),
        ),
        migrations.AddIndex(
            model_name="autopurchaseoutcome",
            index=models.Index(fields=["rule", "-id"], name="auto_purchase_outcome_latest"),
        ),
        migrations.RunSQL(OF_SAME_COMPANY, DROP_OF_SAME_COMPANY),
    ]
