\set n random(1, 1000000000000)
select monitoring.start_task_tracking('doc-' || :n || '-' || :client_id, 'ocr', 1024, 'w1');
select monitoring.complete_task_tracking('doc-' || :n || '-' || :client_id, 'completed', 2048);
