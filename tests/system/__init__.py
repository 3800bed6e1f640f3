"""
The Debian package on a whole system: installed, booted, updated, removed.

The system is made from Debian's packages alone and runs in a container of its own
(systemd as process 1, a network of its own) with the host's kernel. Run by
scripts/system-test; takes root. Tests marked ``thorough`` are left out of its sample.
"""
