"""The dashboards for Grafana: `make grafana` writes `grafana/dashboards/*.json` from these modules.

Each module describes one dashboard: panels with a title, a sentence and a query of the views. How a
figure is written and coloured follows from the name of its column; see `columns`.
"""
