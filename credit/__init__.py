"""How much: ledger, allocation, auto-recharge, rates and calls."""
