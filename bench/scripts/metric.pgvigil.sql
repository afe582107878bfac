select monitoring.record_performance_metric(
    'rows_per_second', 'gauge', 12.5, 'rows/s', 'loader', '{"region": "north"}'
);
