"""
No complaint about Twisted's plugin cache where nobody can write it.

``twistd`` looks for plugins before it knows which one it is to run. Where the
file ``dropin.cache`` is missing or old it makes a new one, and where the
installation is read-only it says at every start that it could not: it works,
some milliseconds later. By then nobody of ours has been loaded, so the remark
can only be kept out of the log, not prevented: it waits in memory until twistd
has its log. That log is the application's ``ILogObserver`` component, for
whoever wants another one (https://docs.twisted.org/en/stable/core/howto/application.html);
here it is twistd's own, less that one event. Where the cache can be written
nothing is changed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from errno import EACCES, EPERM, EROFS
from typing import Any, Final

from twisted.logger import (
    FilteringLogObserver,
    ILogFilterPredicate,
    ILogObserver,
    LogEvent,
    PredicateResult,
)
from twisted.python.components import Componentized
from zope.interface import provider

import twisted.plugins
from rotoclear.logs import twistds

REMARK: Final = "Unable to write to plugin cache"
"""How :func:`twisted.plugin.getCache` begins it."""


def can_be_written() -> bool:
    """Whether this user may write all of Twisted's plugin folders that there are."""
    folders = filter(os.path.isdir, twisted.plugins.__path__)
    return all(os.access(folder, os.W_OK) for folder in folders)


def keep_quiet(
    application: Componentized,
    options: Mapping[str, Any],
    observer: ILogObserver | None = None,
) -> None:
    """
    Have the log leave out the remark.

    :param application: twistd's; a log that was chosen for it stays.
    :param options: twistd's own.
    :param observer: the log that the application is to have; ``None``: twistd's own.
    """
    if application.getComponent(ILogObserver) is not None:
        return
    if not can_be_written():
        observer = FilteringLogObserver(observer or twistds(options), [_wanted])
    if observer is not None:
        application.setComponent(ILogObserver, observer)


@provider(ILogFilterPredicate)
def _wanted(event: LogEvent) -> Any:
    is_it = event.get("errno") in (EACCES, EPERM, EROFS)
    is_it = is_it and str(event.get("format", "")).startswith(REMARK)
    return PredicateResult.no if is_it else PredicateResult.maybe
