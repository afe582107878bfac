-- depends: 0012_running_totals

-- What is known of each expected run, so that neither its schedule nor its history is read each
-- minute: when it was due and will be, and when it last began.

set local lock_timeout = '200ms';

create table monitoring.expected_run_states (
    task_type text not null,
    every_seconds double precision,
    worked_out_at timestamptz not null,
    judged_due_at timestamptz,
    verdict_at timestamptz not null,
    last_due_at timestamptz,
    next_due_at timestamptz not null,
    last_start_at timestamptz,
    last_success_at timestamptz,
    constraint expected_run_states_pk primary key (task_type)
);

create index expected_run_states_verdict_at_ix
on monitoring.expected_run_states (verdict_at);

comment on table monitoring.expected_run_states is
'What is known of each expected run. Work that can be done again: without its row, a run is looked '
'up in its schedule and its history.';
comment on column monitoring.expected_run_states.task_type is
'Which expected run.';
comment on column monitoring.expected_run_states.every_seconds is
'Seconds from one run to the next where they are counted from the last one; null where runs go by '
'the clock.';
comment on column monitoring.expected_run_states.worked_out_at is
'As of when the times beside it were worked out.';
comment on column monitoring.expected_run_states.judged_due_at is
'When the newest run was due whose grace is over; null when there is none. Of runs that are '
'counted from the last one, only one that did not come.';
comment on column monitoring.expected_run_states.verdict_at is
'When the grace of the next run is over; infinity when it is not known.';
comment on column monitoring.expected_run_states.last_due_at is
'When a run was last due; null when none was, and where runs are counted from the last one.';
comment on column monitoring.expected_run_states.next_due_at is
'When a run is due next; infinity when none is, and where runs are counted from the last one.';
comment on column monitoring.expected_run_states.last_start_at is
'When the newest ended attempt began that roll-ups have counted; its end where no start is known.';
comment on column monitoring.expected_run_states.last_success_at is
'The same of the newest attempt that completed.';

insert into monitoring.installed_migrations (migration_id) values ('0013_expected_run_states');
