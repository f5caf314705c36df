"""REST: queues, and reviewing in them, so that programs can review like people do."""
