"""What the harness says when it cannot do its work."""


class HarnessError(RuntimeError):
    """A test run could not even begin; the message says what to do about it."""


def missing_tools(what: str) -> HarnessError:
    """Return the error for a tool that this machine lacks."""
    return HarnessError(
        f"{what} is not installed. `make install-test-tools` installs it on Debian and says "
        "elsewhere what is missing."
    )
