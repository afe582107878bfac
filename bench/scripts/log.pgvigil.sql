select monitoring.record_log(
    'loader', 'INFO', 'chunk 12 loaded', '{"chunk": 12}', 'etl-1', 12.5
);
