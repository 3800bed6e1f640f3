"""The lamp of an Acme machine."""

from acme.lamp import AcmeLamp

acme_lamp = AcmeLamp()
