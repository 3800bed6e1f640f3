"""
How fast a change of one client reaches all the others, and what that costs.

``scripts/bench`` runs it; ``docs/performance.rst`` tells what comes out, and why.

===================  =========================================================
``native/``          the load generator and the yardstick, in C
``peers/``           the same small server on other people's libraries
:mod:`.cases`        what is measured
:mod:`.measuring`    one run: a server on one core, its clients on another
:mod:`.servers`      the servers that are measured
:mod:`.process`      what the kernel says of a process
:mod:`.report`       the tables
===================  =========================================================
"""
