"""The REST door of interactions."""
