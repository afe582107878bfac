"""Writes the dashboards: `python -m grafana.description [DIRECTORY]`."""

import sys
from pathlib import Path

from grafana.description.files import write_dashboards

write_dashboards(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("grafana/dashboards"))
