select monitoring.record_performance_metric('rows_' || :client_id, 'gauge', 12.5);
