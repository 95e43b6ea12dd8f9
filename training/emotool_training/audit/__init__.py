"""What clips there are, and what is wrong with them."""
