"""Sticks and disks that someone plugs in to record on."""

from rotoclear.drivers.removable import RemovableStorage

removable_storage = RemovableStorage()
