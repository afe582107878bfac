select monitoring.record_error('doc-1', 'Error1', 'high', 'told by 1', 'c1');
