from decimal import Decimal

from django.db import migrations, models

FILL = """
UPDATE credit_account account SET month_spent = spent.total
  FROM (
    SELECT total.account_id, sum(total.outgoing) AS total
      FROM credit_dailytotal total JOIN credit_account own ON own.id = total.account_id
     WHERE total.kind = 'call'
       AND date_trunc('month', total.day) = date_trunc('month', own.last_booked_on)
     GROUP BY total.account_id
  ) spent
 WHERE account.id = spent.account_id AND account.kind = 'member'
"""


class Migration(migrations.Migration):
    dependencies = [("credit", "0008_low_balance_alert")]

    operations = [
        migrations.AddField(
            model_name="account",
            name="month_spent",
            field=models.DecimalField(
                db_default=Decimal(0), decimal_places=4, default=Decimal(0), max_digits=18
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
