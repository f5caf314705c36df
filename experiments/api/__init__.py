"""The REST door of A/B tests."""
