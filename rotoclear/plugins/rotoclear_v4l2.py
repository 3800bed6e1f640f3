"""Cameras with a Linux kernel driver: USB cameras and others."""

from rotoclear.drivers.v4l2 import V4l2Cameras

v4l2 = V4l2Cameras()
