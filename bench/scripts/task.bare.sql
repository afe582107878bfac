\set n random(1, 1000000000000)
insert into bare.tasks (task_id, attempt, task_type, status, started_at, input_size, worker_id)
values ('doc-' || :n || '-' || :client_id, 1, 'ocr', 'running', clock_timestamp(), 1024, 'w1');
update bare.tasks
set status = 'completed', finished_at = clock_timestamp(), output_size = 2048,
    duration_ms = extract(epoch from clock_timestamp() - started_at) * 1000
where task_id = 'doc-' || :n || '-' || :client_id;
