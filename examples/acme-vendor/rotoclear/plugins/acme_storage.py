"""The disk of an Acme machine."""

from acme.storage import AcmeStorage

acme_storage = AcmeStorage()
