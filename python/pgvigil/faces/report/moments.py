"""Times of a report, all by the clocks of one time zone."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo


class Clock:
    """Writes times as people of a time zone read them."""

    def __init__(self, zone: ZoneInfo, end: str) -> None:
        """Describe it.

        Args:
            zone: time zone of all times.
            end: end of what is told, in ISO 8601.
        """
        self._zone = zone
        self._end = self.local(end)

    def local(self, moment: str) -> datetime:
        """Return a time by these clocks."""
        return datetime.fromisoformat(moment).astimezone(self._zone)

    def moment(self, moment: str | None) -> str:
        """Return a time, with its day unless it lies in the last 24 hours."""
        if moment is None:
            return ""
        local = self.local(moment)
        is_recent = timedelta(0) <= self._end - local < timedelta(hours=24)
        return f"{local:%H:%M}" if is_recent else f"{local.day} {local:%b %H:%M}"

    def full(self, moment: str) -> str:
        """Return a time with its day."""
        local = self.local(moment)
        return f"{local.day} {local:%b %H:%M}"

    def of_day(self, moment: str | None, day: date) -> str:
        """Return a time of day, and by how many days it is after the day."""
        if moment is None:
            return ""
        local = self.local(moment)
        days = (local.date() - day).days
        return f"{local:%H:%M}{f' {days:+}' if days else ''}"
