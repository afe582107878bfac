select monitoring.record_performance_metric('rows', 'gauge', 12.5);
