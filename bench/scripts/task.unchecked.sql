\set n random(1, 1000000000000)
select bare.start_task('doc-' || :n || '-' || :client_id, 'ocr', 1024, 'w1');
select bare.complete_task('doc-' || :n || '-' || :client_id, 'completed', 2048);
