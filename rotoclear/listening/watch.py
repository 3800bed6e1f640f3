"""Certificates that are read again when their files change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.task import LoopingCall
from twisted.internet.threads import deferToThreadPool
from twisted.logger import Logger

from rotoclear.listening.tls import CertificateError, Loaded, ServerCertificate, now_utc

INTERVAL = 4.0
"""Seconds between two looks at the files."""

SOON = timedelta(days=14)
"""Before a certificate's end: a new one should have been there for long."""

Look = Callable[[], Loaded | CertificateError | None]


class CertificateWatch(Service):
    """
    Looks at the certificates' files every few seconds, and when it is told to.

    inotify would not see a change on a network share, nor one behind a
    symlinked folder, which is how certificates are renewed on many machines;
    three ``stat`` calls in a thread cost nothing.
    """

    _log = Logger()

    def __init__(
        self,
        reactor: Any,
        certificates: Sequence[ServerCertificate],
        *,
        interval: float = INTERVAL,
        in_thread: Callable[[Look], Deferred[Loaded | CertificateError | None]] | None = None,
        wall_clock: Callable[[], datetime] = now_utc,
    ) -> None:
        self.certificates = certificates
        self._interval = interval
        self._in_thread = in_thread or (
            lambda look: deferToThreadPool(reactor, reactor.getThreadPool(), look)
        )
        self._wall_clock = wall_clock
        self._lock = DeferredLock()
        self._loop = LoopingCall(self.look)
        self._loop.clock = reactor

    def startService(self) -> None:
        """Begin to look."""
        super().startService()  # type: ignore[no-untyped-call]
        for certificate in self.certificates:
            self._remark(certificate)
        if self.certificates:
            self._loop.start(self._interval, now=False)

    def stopService(self) -> None:
        """Look no longer."""
        super().stopService()  # type: ignore[no-untyped-call]
        if self._loop.running:
            self._loop.stop()

    def look(self, *, force: bool = False) -> Deferred[None]:
        """
        Look at all files now.

        :param force: read the files even if they look the same.
        """
        return self._lock.run(lambda: Deferred.fromCoroutine(self._look(force)))

    def verdict(self) -> tuple[str, str]:
        """The worst that there is to say: ``ok``, ``degraded`` or ``failed``, and why."""
        problems = [c.problem for c in self.certificates if c.problem is not None]
        if problems:
            return "failed", "; ".join(problems)
        now = self._wall_clock()
        loaded = [(str(c.files.certificate), c.loaded) for c in self.certificates]
        remarks = [f"{file} {remark}" for file, one in loaded if (remark := one.remark(now))]
        if remarks:
            return "failed", "; ".join(remarks)
        ending = [
            f"{file} ends on {one.ends:%Y-%m-%d}" for file, one in loaded if one.ends - now < SOON
        ]
        return ("degraded", "; ".join(ending)) if ending else ("ok", "")

    async def _look(self, force: bool) -> None:
        for certificate in self.certificates:
            try:
                found = await self._in_thread(lambda c=certificate: c.look(force=force))  # type: ignore[misc]
            except Exception:  # noqa: BLE001 - a bug here must not end the watch
                self._log.failure("Cannot look at {path}", path=certificate.files.certificate)
                continue
            if found is None:
                continue
            certificate.take(found)
            if isinstance(found, CertificateError):
                self._log.error(
                    "Certificate not taken over, the one from before stays: {reason}",
                    reason=str(found),
                )
            else:
                self._log.info(
                    "Certificate {path} taken over, valid until {ends:%Y-%m-%d}",
                    path=certificate.files.certificate,
                    ends=found.ends,
                )
                self._remark(certificate)

    def _remark(self, certificate: ServerCertificate) -> None:
        remark = certificate.loaded.remark(self._wall_clock())
        if remark is not None:
            self._log.warn(
                "Certificate {path} {remark}",
                path=certificate.files.certificate,
                remark=remark,
            )
