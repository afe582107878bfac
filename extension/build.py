"""Writes the extension's files, and the archive that PGXN takes: `make extension`.

Whoever builds a version gets the same bytes.
"""

import sys
import zipfile
from pathlib import Path

from pgvigil import __version__
from pgvigil.install import extension_script

_HERE = Path(__file__).parent
_ROOT = _HERE.parent
_RELEASES = _ROOT / "tests" / "upgrade"
# As hatchling has it for the wheel.
_DATE = (2020, 2, 2, 0, 0, 0)
_PLAIN_FILE = 0o100644


def build(directory: Path) -> None:
    """Write control file and scripts into a directory, and the archive beside it."""
    directory.mkdir(parents=True, exist_ok=True)
    files = _files()
    for name in ("pgvigil.control", *_scripts()):
        (directory / name).write_bytes(files[name])
    with zipfile.ZipFile(directory.parent / f"pgvigil-{__version__}.zip", "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"pgvigil-{__version__}/{name}", _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = _PLAIN_FILE << 16
            archive.writestr(entry, files[name])


def _files() -> dict[str, bytes]:
    script = extension_script().encode()
    plain = ("META.json", "Makefile", "README.md", "pgvigil.control")
    return {
        **{name: (_HERE / name).read_bytes() for name in plain},
        "LICENSE": (_ROOT / "LICENSE").read_bytes(),
        **dict.fromkeys(_scripts(), script),
    }


def _scripts() -> list[str]:
    """Return the names of the script: for new databases, and for those with an earlier version."""
    earlier = {path.name.removesuffix(".sql.gz") for path in _RELEASES.glob("*.sql.gz")}
    updates = [f"pgvigil--{version}--{__version__}.sql" for version in earlier - {__version__}]
    return [f"pgvigil--{__version__}.sql", *sorted(updates)]


if __name__ == "__main__":
    build(Path(sys.argv[1]))
