\set n random(1, 1000000)
select monitoring.record_error(
    'doc-1', 'TimeoutError', 'high',
    'request ' || :n || ' to 10.1.2.3:8080 timed out after 30 s while reading /var/data/file.csv',
    'loader', '{"try": 3}'
);
