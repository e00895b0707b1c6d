"""With what money: gateways, purchases and the company's own auto-recharge."""
