"""What is said of the mistakes that any call can make."""

from __future__ import annotations

from rotoclear.interfaces import DeviceFailure, DriverUnusable
from rotoclear.testing.bench import Crash, Ended, Late
from rotoclear.testing.fault import Fault


def explained(error: Exception, where: str) -> Fault:
    """
    In words that a vendor understands.

    :param error: what came out of a call.
    :param where: the driver ran, for people.
    """
    match error:
        case Fault():
            return error
        case Crash():
            return Fault(
                f"{error}, {where}.{_place(error.traceback)}",
                where="Errors",
                asks="a call that the hardware refuses raises DeviceFailure, a device that is "
                "not there any more DeviceGone; nothing else comes out of a driver",
                mend="catch it where it comes from, and raise DeviceFailure with what a person "
                "can do about it",
            )
        case Late():
            return Fault(
                f"{error}, {where}.",
                where="Time",
                asks="a call has two seconds; then the driver's process is ended and started anew",
                mend="give what it waits for a time-out of less than two seconds, and raise "
                "DeviceFailure when that has passed",
            )
        case Ended():
            return Fault(
                f"{error}.",
                where="Life and Output",
                asks="the process is the server's: it ends when the server says so, and its "
                "descriptor 3 is the server's alone",
                mend="never call exit, abort or execve, never write to a descriptor that you have "
                "not opened; a C library that crashes leaves its stack in what was printed",
            )
        case DriverUnusable():
            return Fault(
                f"It says that it cannot work here: {error}",
                where="IDriver.start",
                asks="DriverUnusable says what to do about it",
                mend="do what it says and try again",
            )
        case DeviceFailure():
            return Fault(
                f"It refused what it should be able to do: {type(error).__name__}: {error}",
                where="Errors",
                asks="a device that find() names and that is plugged in does what it describes",
                mend="do it, or do not name the device in find() as long as it does not answer",
            )
        case _:
            raise error


def _place(traceback: str) -> str:
    """Where it was raised: the last file and line of a traceback."""
    lines = [line.strip() for line in traceback.splitlines() if line.lstrip().startswith("File ")]
    return f" ({lines[-1]})" if lines else ""
