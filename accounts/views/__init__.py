"""The pages of people, keys and teams."""
