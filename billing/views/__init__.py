"""The pages of billing: buying, purchases, payment settings, and the sandbox's own."""
