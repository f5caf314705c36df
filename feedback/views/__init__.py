"""The pages of feedback keys and of comparisons."""
