"""What templates of billing may ask."""
