\set n random(1, 1000000)
insert into bare.errors
values (
    1, 'doc-1', clock_timestamp(), 'TimeoutError', 'high',
    'request ' || :n || ' to 10.1.2.3:8080 timed out after 30 s while reading /var/data/file.csv',
    'loader', 'v1:0123456789abcdef', '{"try": 3}', null
);
