"""Where the SQL that pgvigil installs, and what it brings for Grafana, is found.

A wheel carries ``sql/``, ``migrations/`` and ``grafana/`` below ``pgvigil/resources/``; a checkout
has them at its root. The wheel's copy comes first, so an installed package never reads a stray
checkout.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_PLACES = (_PACKAGE / "resources", _PACKAGE.parent.parent)


def sql_directory() -> Path:
    """Return the directory of the re-created code, which holds ``install.sql``.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    return _find("sql", "install.sql")


def migrations_directory() -> Path:
    """Return the directory of the run-once migrations.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    return _find("migrations", "*.sql")


def grafana_directory() -> Path:
    """Return the directory of what Grafana reads: ``dashboards/`` and ``provisioning/``.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    return _find("grafana", "dashboards/*.json")


def adapters_directory() -> Path:
    """Return the directory of the adapters: a file for each queue that ``adopt()`` can know.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    return _find("sql/adapters", "*.sql")


def _find(name: str, content: str) -> Path:
    for place in _PLACES:
        directory = place / name
        if any(directory.glob(content)):
            return directory
    places = " or ".join(str(place / name) for place in _PLACES)
    raise FileNotFoundError(
        f"pgvigil's {name}/{content} is in neither {places}; install the package again"
    )
