"""The camera head of an Acme machine."""

from acme.camera import AcmeCamera

acme_camera = AcmeCamera()
