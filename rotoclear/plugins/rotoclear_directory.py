"""A folder of this machine to record in."""

from rotoclear.drivers.directory import FolderStorage

folder_storage = FolderStorage()
