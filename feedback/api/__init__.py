"""The REST door of feedback: keys, values, comparisons and what can be told of them."""
