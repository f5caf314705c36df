"""Proofs that run against a whole installation: python -m tests.acceptance.NAME. No part of make test."""
