insert into bare.logs
values (1, 'loader', clock_timestamp(), 'INFO', 'chunk 12 loaded', 'etl-1', 12.5, '{"chunk": 12}');
