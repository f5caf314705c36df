"""The pages that show what was said."""
