insert into bare.queues values (1, 'billing', clock_timestamp(), 5, 1, 100, 2, 12.5);
