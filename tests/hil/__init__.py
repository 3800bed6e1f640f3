"""
The server on real kernel drivers: hardware in the loop, without the hardware.

A machine is made by QEMU (:mod:`tests.hil.machine`) from Debian's own kernel
(:mod:`tests.hil.image`). Its root is this machine's ``/``, read-only, with a
layer in memory above it: the checkout and its environment are at the same paths
in there. The server runs inside and is asked from outside through one forwarded
port (:mod:`tests.hil.guest`). What is plugged into it:

==================  ===========================================================
a camera            the kernel's ``vivid``, a test driver with all of V4L2
a USB camera        :mod:`tests.hil.usb_camera`, seen by the real ``uvcvideo``
a USB light         :mod:`tests.hil.uhid_light`, seen by the real ``hid-led``
lines of a GPIO     the kernel's ``gpio-sim``, built from Debian's source
a USB disk          QEMU's, plugged in and pulled through QMP
==================  ===========================================================

QEMU interprets every instruction there (no KVM is needed): Python is some
twenty times slower than outside. So nothing here is asserted of times; those
that were seen are printed at the end (:mod:`tests.hil.times`).

``scripts/hil`` installs what this needs and runs it. Scripts named
``guest_*.py`` are run inside, each on its own, and are good if they exit with 0.
"""
