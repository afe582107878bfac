select monitoring.record_queue_metrics('billing-' || :client_id, 5, 1, 100, 2, 12.5);
