"""The pages of credit: members with balances, adding credit, auto-recharge."""
