"""Mails: their texts, the outbox that stores them, and the sender.

Here as in the rest of the app, an email is an address, and a mail is a message.
"""
