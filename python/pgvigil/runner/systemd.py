"""Telling systemd how we are: the few datagrams of sd_notify(3)."""

import asyncio
import os
import socket


class ServiceManager:
    """Whoever started this program and asked, through its environment, to be kept informed.

    Started by anything else, all of this does nothing.
    """

    def __init__(self) -> None:
        """Read what systemd put into the environment."""
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        self._watchdog_seconds = 0.0
        if os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid()):
            self._watchdog_seconds = int(os.environ.get("WATCHDOG_USEC", "0")) / 1_000_000

    def ready(self) -> None:
        """Say that the program has started."""
        self._send("READY=1")

    def status(self, text: str) -> None:
        """Set the line that ``systemctl status`` shows."""
        self._send(f"STATUS={text}")

    def stopping(self) -> None:
        """Say that the program has begun to end."""
        self._send("STOPPING=1")

    async def keep_watchdog_quiet(self) -> None:
        """Say that the program is alive, twice as often as systemd wants to hear it."""
        while self._watchdog_seconds:
            self._send("WATCHDOG=1")
            await asyncio.sleep(self._watchdog_seconds / 2)

    def _send(self, message: str) -> None:
        if not self._address:
            return
        # A leading @ stands for the zero byte of an abstract socket.
        address = self._address.replace("@", "\0", 1) if self._address[0] == "@" else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
                channel.setblocking(False)
                channel.sendto(message.encode(), address)
        except OSError:
            return  # nobody listens, which must not stop the work
