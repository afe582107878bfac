"""The diagrams of the documents: `make docs` writes them into docs/images."""

from collections.abc import Callable
from pathlib import Path

from docs.site.drawing import Drawing


def write_diagrams(directory: Path) -> None:
    """Write each diagram into a file of its name."""
    for name, draw in DIAGRAMS.items():
        (directory / f"{name}.svg").write_text(str(draw()))


def _overview() -> Drawing:
    d = Drawing(760, 520, "From the programs to the people: how a recorded row becomes a figure")
    d.box(20, 20, 220, 58, "Programs", "select record_error(…)")
    d.box(270, 20, 220, 58, "Commands", "pgvigil exec, pings")
    d.box(520, 20, 220, 58, "Other systems", "their tables and queries")
    for x in (130, 380, 630):
        d.arrow((x, 78), (x, 120))
    d.text(622, 104, "read every minute", "small", "end")
    core = "tasks · errors · metrics · log lines · health · queues · records"
    d.box(20, 120, 720, 62, "Tables, one partition a day", core, tone="accent")
    d.arrow((200, 182), (200, 226))
    d.text(212, 209, "every minute")
    d.box(20, 226, 360, 58, "Roll-ups", "by minute, hour and day; kept for years")
    d.arrow((200, 284), (200, 328))
    d.text(212, 311, "every minute")
    d.box(20, 328, 360, 58, "Rules find, alerts follow", "pending, firing, acknowledged, resolved")
    d.arrow((105, 386), (105, 430))
    d.text(117, 413, "in the same transaction")
    d.box(20, 430, 170, 66, "Outbox", "a row for each", "message and target")
    d.arrow((190, 463), (250, 463))
    d.box(250, 430, 180, 66, "pgvigil run", "mail, chat, SMS,", "webhook")
    d.arrow((600, 182), (600, 328))
    d.arrow((380, 255), (520, 255), (520, 328))
    d.arrow((380, 357), (460, 357))
    d.box(460, 328, 280, 58, "Views and get_… functions", "always up to date")
    d.arrow((600, 386), (600, 430))
    d.box(
        460,
        430,
        280,
        66,
        "What people see",
        "page · terminal · Grafana · Prometheus",
        "exports · report · psql",
    )
    return d


def _task() -> Drawing:
    d = Drawing(760, 300, "The life of a task: started, running, ended, started again")
    d.box(20, 100, 150, 60, "not known")
    d.box(290, 100, 170, 60, "running", "attempt 1", tone="accent")
    d.arrow((170, 130), (290, 130))
    d.text(230, 92, "start_task_tracking()", "code", "middle")
    d.line((340, 100), (340, 58), (410, 58))
    d.arrow((410, 58), (410, 100))
    d.text(375, 34, "update_task_progress()", "code", "middle")
    d.text(375, 51, "progress, and a sign of life", "small", "middle")
    ends = (
        ("completed", "it did its work", "good", 20),
        ("failed", "it gave up", "bad", 76),
        ("timeout", "it took too long", "bad", 132),
        ("lost", "nobody heard of it again", "bad", 188),
        ("cancelled", "somebody ended it", "", 244),
    )
    for name, about, tone, y in ends:
        d.box(570, y, 170, 46, name, about, tone=tone)
        d.arrow((460, 130), (515, 130), (515, y + 23), (570, y + 23))
    d.arrow((570, 275), (375, 275), (375, 160))
    d.text(360, 250, "start_task_tracking() of the same name:", "small", "end")
    d.text(360, 268, "attempt 2, with attempt 1 kept", "small", "end")
    return d


def _business_day() -> Drawing:
    d = Drawing(
        760, 270, "A business day lasts from cut-over to cut-over, not from midnight to midnight"
    )
    left, hour = 80.0, 25.0

    def at(clock: float) -> float:
        return left + clock * hour

    d.text(380, 28, "business day 15 January", "title", "middle")
    d.arrow((at(12), 42), (at(0), 42))
    d.arrow((at(12), 42), (at(24), 42))
    for clock, label in ((0, "05:00"), (24, "05:00")):
        d.line((at(clock), 34), (at(clock), 226))
        d.text(at(clock), 244, label, "title", "middle")
        d.text(at(clock), 260, "cut-over", "small", "middle")
    d.line((at(19), 52), (at(19), 226), is_dashed=True)
    d.text(at(19), 244, "00:00", "small", "middle")
    d.text(at(19), 260, "calendar day ends", "small", "middle")
    for clock, label in ((7, "12:00"), (13, "18:00")):
        d.line((at(clock), 220), (at(clock), 226))
        d.text(at(clock), 244, label, "small", "middle")
    d.line((at(0), 226), (at(24), 226))
    d.bar(at(13), 70, 2 * hour, 20, "good")
    d.text(at(13) - 8, 85, "load: complete", "small", "end")
    d.bar(at(15), 106, 5.5 * hour, 20, "accent")
    d.text(
        at(15) - 8, 121, "bill: began at 20:00, ended at 01:30, belongs to the 15th", "small", "end"
    )
    d.bar(at(20.5), 142, 2 * hour, 20, "warn")
    d.text(at(20.5) - 8, 157, "print: waits for bill", "small", "end")
    d.bar(at(1), 178, 1.5 * hour, 20, "good")
    d.text(at(2.5) + 8, 193, "a run at 06:00 is of the 15th, one at 04:00 still of the 14th")
    return d


def _fingerprint() -> Drawing:
    d = Drawing(760, 250, "Messages that differ only in their variable parts make one error group")
    messages = (
        "page 4 of /scans/17.tif is blank",
        "page 9 of /scans/18.tif is blank",
        "page 12 of /in/a.tif is blank",
    )
    for number, message in enumerate(messages):
        y = 24 + number * 62
        d.box(20, y, 260, 48, "ScanError", message)
        d.arrow((280, y + 24), (305, y + 24), (305, 110), (330, 110))
    d.box(
        330,
        76,
        205,
        68,
        "page <*> of <*> is blank",
        "type and template give",
        "the fingerprint",
        tone="accent",
    )
    d.arrow((535, 110), (570, 110))
    d.box(
        570,
        62,
        170,
        96,
        "one error group",
        "3 occurrences",
        "first and last seen",
        "open",
        tone="bad",
    )
    d.arrow((620, 158), (620, 200))
    d.arrow((690, 200), (690, 158))
    d.text(612, 184, "resolved by somebody", "small", "end")
    d.text(698, 176, "seen")
    d.text(698, 190, "again")
    d.box(570, 200, 170, 36, "resolved", tone="good")
    return d


def _alert() -> Drawing:
    d = Drawing(760, 330, "The life of an alert: pending, firing, acknowledged, resolved")
    d.box(20, 80, 120, 60, "nothing")
    d.box(230, 80, 130, 60, "pending", "nobody is notified", tone="warn")
    d.box(480, 80, 150, 60, "firing", "people are notified", tone="bad")
    d.box(480, 230, 150, 60, "acknowledged", "no more reminders", tone="accent")
    d.box(230, 230, 130, 60, "resolved", "its end is notified", tone="good")
    d.arrow((140, 100), (230, 100))
    d.text(185, 92, "found", "small", "middle")
    d.arrow((230, 124), (140, 124))
    d.text(185, 142, "not found", "small", "middle")
    d.arrow((360, 110), (480, 110))
    d.text(420, 82, "found for long", "small", "middle")
    d.text(420, 98, "and often enough", "small", "middle")
    d.arrow((530, 140), (530, 230))
    d.text(522, 180, "somebody", "small", "end")
    d.text(522, 196, "is on it", "small", "end")
    d.arrow((590, 230), (590, 140))
    d.text(598, 172, "taken back, or the")
    d.text(598, 188, "severity rises above")
    d.text(598, 204, "what was acknowledged")
    d.arrow((480, 130), (420, 130), (420, 215), (320, 215), (320, 230))
    d.arrow((480, 260), (360, 260))
    d.text(412, 168, "gone for a while,", "small", "end")
    d.text(412, 184, "or resolved by hand", "small", "end")
    d.arrow((230, 260), (80, 260), (80, 140), is_dashed=True)
    d.text(155, 252, "found again:", "small", "middle")
    d.text(155, 280, "a new alert", "small", "middle")
    d.arrow((630, 95), (690, 95), (690, 60), (555, 60), (555, 80))
    d.text(555, 34, "silenced or inhibited: fires all the same,", "small", "middle")
    d.text(555, 50, "but nobody is notified until that ends", "small", "middle")
    return d


def _figure() -> Drawing:
    d = Drawing(
        760, 250, "A figure is what the roll-ups have counted and what they have not counted yet"
    )
    d.box(20, 40, 150, 60, "Your transaction", "order and record")
    d.arrow((170, 70), (220, 70))
    d.text(195, 60, "commit", "small", "middle")
    d.box(220, 40, 150, 60, "Row", "kept for days", tone="accent")
    d.arrow((370, 56), (430, 56))
    d.box(430, 20, 150, 56, "not counted yet", "the last minute")
    d.arrow((295, 100), (295, 166), (430, 166))
    d.text(305, 132, "roll_up(),", "code")
    d.text(305, 149, "every minute")
    d.box(430, 138, 150, 56, "Roll-ups", "kept for years", tone="accent")
    d.arrow((505, 76), (505, 138))
    d.text(515, 112, "counted once")
    d.arrow((580, 48), (660, 48), (660, 80))
    d.arrow((580, 166), (660, 166), (660, 136))
    d.box(600, 80, 140, 56, "Figure", "both, in one look", tone="good")
    d.text(
        20,
        226,
        "Rows are removed only after they were counted: the figure stays when they are gone.",
    )
    return d


DIAGRAMS: dict[str, Callable[[], Drawing]] = {
    "how-it-fits": _overview,
    "life-of-a-task": _task,
    "business-day": _business_day,
    "fingerprint": _fingerprint,
    "life-of-an-alert": _alert,
    "row-to-figure": _figure,
}
