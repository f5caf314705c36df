"""Commands that work on the store; python -m bench calls them."""
