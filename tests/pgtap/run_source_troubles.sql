-- What is wrong with sources and their runs: told once, and through the rule source_trouble.

begin;
select plan(38);
\ir helpers/fixed_clock.psql
\ir helpers/judging.psql
\ir helpers/run_source.psql

select pg_temp.register();

-- What a rule finds now, as "vanished 1 high".
create function pg_temp.found_at(p_time text) returns text
language sql
as $$
    select string_agg(
        concat_ws(' ', f.labels ->> 'trouble', f.value, f.severity), ', ' order by f.fingerprint
    )
    from pg_temp.judge('source_trouble', '2026-01-15 ' || p_time || '+00') as f
$$;

select is(pg_temp.found_at('08:00'), null, 'without sources there is no trouble');

-- Vanished

select pg_temp.put('1', 'RN', '08:30', null, 5, 9);
select pg_temp.put('2', 'CP', '08:30', '08:40');
select pg_temp.sync_at('08:00');
delete from scratch.runs;
select is(pg_temp.sync_at('08:15'), 'vanished 1', 'a run that is gone while it runs vanished');
select is(
    pg_temp.attempts_of('1'), '1 lost 07:30 to 08:15 of 5/9', 'its task got lost when that was seen'
);
select is(
    (select metadata ->> 'lost' from monitoring.processing_metrics where task_id = 'erp:1'),
    'vanished from its source',
    'and says why'
);
select is(pg_temp.troubles(), 'vanished 1 ended', 'a run that had ended may go');
select results_eq(
    $$select task_id, severity, message, component from monitoring.error_tracking$$,
    $$
        values ('erp:1', 'medium', 'run 1 vanished while it was running', 'source erp')
    $$,
    'it is told as an error'
);
select is(pg_temp.sync_at('08:30'), 'nothing', 'and once');
select is((select count(*) from monitoring.error_tracking), 1::bigint, 'as one error');
select is(
    pg_temp.found_at('08:14') is null and pg_temp.found_at('08:15') = 'vanished 1 high',
    true,
    'the rule finds it from then on'
);
select results_eq(
    $$select fingerprint, summary from pg_temp.find('source_trouble', '2026-01-16 08:14:59+00')$$,
    $$values ('erp: vanished', 'source erp: run 1 vanished while it was running')$$,
    'for a day'
);
select is_empty(
    $$select * from pg_temp.find('source_trouble', '2026-01-16 08:15+00')$$, 'and no longer'
);
select pg_temp.put('1', 'CP', '08:30', '09:20', 9, 9);
select is(
    pg_temp.sync_at('08:45') || ': ' || pg_temp.attempts_of('1'),
    'restarted 1: 1 lost 07:30 to 08:15 of 5/9, 2 completed ? to 08:20 of 9/9',
    'when it comes back, what became of it is recorded as another attempt'
);

-- Backwards

select pg_temp.put('3', 'RN', '09:30', null, 50, 90);
select pg_temp.sync_at('09:00');
select pg_temp.put('3', 'RN', '09:30', null, 20, 90);
select is(
    pg_temp.sync_at('09:15'), 'progressed 1, unchanged 1, went_backwards 1',
    'fewer records than before go backwards'
);
select is(
    pg_temp.attempts_of('3'), '1 running 08:30 of 20/90', 'and are believed'
);
select pg_temp.put('3', 'CP', '09:30', '10:20', 90, 90);
select pg_temp.sync_at('09:30');
select pg_temp.put('3', 'RN', '09:30', null, 90, 90);
select is(
    pg_temp.sync_at('09:45'), 'restarted 1, unchanged 1, went_backwards 1',
    'so does a run that had completed, and runs with the same start'
);
select pg_temp.put('3', 'WT');
select is(
    pg_temp.sync_at('10:00'), 'unchanged 2, went_backwards 1', 'or that ran, and waits'
);
select is(
    pg_temp.attempts_of('3'),
    '1 completed 08:30 to 09:20 of 90/90, 1 lost 09:45 to 10:00 of 90/90',
    'its task no longer runs'
);
select pg_temp.put('3', 'RN', '11:10', null, 1, 90);
select is(
    pg_temp.sync_at('10:15') || ': ' || pg_temp.attempts_of('3'),
    'restarted 1, unchanged 1: 1 completed 08:30 to 09:20 of 90/90, '
    '1 lost 09:45 to 10:00 of 90/90, 2 running 10:10 of 1/90',
    'until it begins anew, which is no trouble'
);
select results_eq(
    $$
        select message from monitoring.v_source_troubles
        where trouble = 'went_backwards' order by begun_at
    $$,
    $$
        values ('run 3 went backwards: it had done 50 records and has done 20'),
            ('run 3 went backwards: it was completed and is running'),
            ('run 3 went backwards: it was running and is pending')
    $$,
    'each is told with what it was and is'
);
select is(
    pg_temp.found_at('10:15'), 'went_backwards 2 medium',
    'and found by the rule, unless a run of the type has completed since'
);
select results_eq(
    $$
        select happened_at, details ->> 'subject'
        from pg_temp.explain(
            'source_trouble', '{"source": "erp", "trouble": "went_backwards"}', 2
        )
    $$,
    $$values ('2026-01-15 10:00+00'::timestamptz, '3'), ('2026-01-15 09:45+00'::timestamptz, '3')$$,
    'which explains itself by the newest'
);

-- After the end

select pg_temp.put('4', 'CP', '10:30', '11:00', 50, 50);
select pg_temp.sync_at('10:16');
select pg_temp.put('4', 'CP', '10:30', '11:00', 40, 50);
select is(
    pg_temp.sync_at('10:17'), 'unchanged 3, went_backwards 1',
    'a run that has ended goes backwards as well'
);
select pg_temp.put('4', 'ER', '10:30', '11:00', 40, 50, 'was wrong');
select is(
    pg_temp.sync_at('10:18') || ': ' || pg_temp.attempts_of('4'),
    'restarted 1, unchanged 2, went_backwards 1: 1 completed 09:30 to 10:00 of 50/50, '
    '2 failed ? to 10:00 of 40/50',
    'one that is said to have failed after all has, beside what was said before'
);
select pg_temp.put('4', 'CP', '10:30', '11:00', 50, 50);
select is(
    pg_temp.sync_at('10:19') || ': ' || pg_temp.attempts_of('4'),
    'restarted 1, unchanged 2: 1 completed 09:30 to 10:00 of 50/50, '
    '2 failed ? to 10:00 of 40/50, 3 completed ? to 10:00 of 50/50',
    'to have failed and then completed is to go forwards'
);

-- Rows of which nothing can be made

truncate scratch.runs;
select pg_temp.sync_at('10:20');
delete from monitoring.source_troubles;
select pg_temp.put('7', 'RN', '11:00');
select pg_temp.sync_at('10:25');
select pg_temp.put('7', 'XX', '11:00');
select pg_temp.put('8', 'xx', '11:00');
select pg_temp.put('9', 'CP', '11:30', '09:30');
select pg_temp.put('10', 'RN', '11:20');
select is(
    pg_temp.sync_at('10:30'), 'bad 3, new 1', 'what cannot be understood keeps nothing else waiting'
);
select is(
    pg_temp.troubles(), 'bad_row 9, unknown_status XX', 'it is told by run, or by status code'
);
select results_eq(
    $$select message from monitoring.v_source_troubles order by message$$,
    $$
        values ('nobody has said what status "XX" means (runs that have it: 2, such as 7)'),
            ('run 9: ends before it starts')
    $$,
    'in words'
);
select is(
    pg_temp.attempts_of('7'), '1 running 10:00',
    'a run of which nobody knows any more how it is goes on, and has not vanished'
);
select is(pg_temp.attempts_of('9'), null, 'nothing is guessed');
select is(
    (select count(*) from monitoring.error_tracking where error_type = 'SourceTrouble'), 9::bigint,
    'and each is an error'
);
select pg_temp.sync_at('10:45');
select is(
    (select count(*) from monitoring.error_tracking where error_type = 'SourceTrouble'), 9::bigint,
    'once, however often it is read'
);
select is(
    pg_temp.found_at('10:45'), 'bad_row 1 medium, unknown_status 1 medium',
    'the rule finds it for as long as it lasts'
);
select pg_temp.register('{}', '{"xx ": "failed"}');
delete from scratch.runs where id in ('8', '9');
select pg_temp.sync_at('11:00');
select is(
    pg_temp.troubles(), 'bad_row 9 ended, unknown_status XX ended',
    'which ends when the code is explained, or the row is gone'
);
select is(pg_temp.attempts_of('7'), '1 failed 10:00 to 11:00', 'and then the run has its say');
select is(pg_temp.found_at('11:00'), null, 'the rule finds nothing then');
select is(
    pg_temp.found_at('10:50'), 'bad_row 1 medium, unknown_status 1 medium',
    'but of the past what was then'
);

-- The same run twice

insert into scratch.runs select (r).* from scratch.runs as r where r.id = '10';
select is(pg_temp.sync_at('11:15'), 'bad 2, unchanged 1', 'a run that is there twice is not clear');
select is(
    (select message from monitoring.v_source_troubles where subject = '10'),
    'run 10: appears 2 times',
    'and is told so'
);

select * from finish(); -- noqa: AM04
rollback;
