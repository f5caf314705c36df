"""What the speed claims are measured with: `make bench`. Nothing of the product imports it."""
