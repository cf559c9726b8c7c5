"""Mails: the outbox, the sender, and their texts."""
