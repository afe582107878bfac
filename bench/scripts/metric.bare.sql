insert into bare.metrics
values (
    1, 'rows_per_second', clock_timestamp(), 'gauge', 12.5, 'rows/s', 'loader', null,
    '{"region": "north"}'
);
