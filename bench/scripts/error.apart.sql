select monitoring.record_error(
    'doc-' || :client_id, 'Error' || :client_id, 'high', 'told by ' || :client_id, 'c' || :client_id
);
