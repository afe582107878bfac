-- What people decide about groups of errors: resolved, muted, open again.

begin;
select plan(22);
\ir helpers/fixed_clock.psql
\ir helpers/refusals.psql

create type pg_temp.decision as (
    status text,
    muted_until timestamptz,
    note text,
    changed_by text,
    changed_at timestamptz
);

create function pg_temp.decision_about(p_fingerprint text) returns pg_temp.decision
language sql
as $$
    select g.status, g.muted_until, g.note, g.changed_by, g.changed_at
    from monitoring.error_groups as g
    where g.fingerprint = p_fingerprint
$$;

create function pg_temp.status_of(p_fingerprint text) returns text
language sql
as $$
    select (pg_temp.decision_about(p_fingerprint)).status
$$;

select monitoring.record_error('t', 'E', 'low', 'm', p_fingerprint => fingerprint)
from unnest(array['one', 'other']) as fingerprint;

-- Interface

select is(
    pg_temp.decision_about('one'),
    row('open', null, null, null, null)::pg_temp.decision,
    'a group that nobody has decided about is open'
);

select ok(
    monitoring.resolve_error_group('one', 'fixed in 2.1', 'joe'),
    'a group is resolved by its fingerprint, with a note and a name'
);

select is(
    pg_temp.decision_about('one'),
    row('resolved', null, 'fixed in 2.1', 'joe', '2026-01-15 12:00+00')::pg_temp.decision,
    'who resolved it, when and why is shown'
);

select is(
    monitoring.resolve_error_group('one', 'fixed in 2.1', 'joe'), false,
    'one that was resolved already is told of'
);

select is(pg_temp.status_of('other'), 'open', 'another group stays open');

-- Behaviour: seen again

select monitoring.record_error(
    't', 'E', 'low', 'm', p_fingerprint => 'one', p_occurred_at => '2026-01-15 11:59+00'
);

select is(
    pg_temp.status_of('one'),
    'resolved',
    'an occurrence from before that arrives late leaves it resolved'
);

select pg_temp.set_clock('2026-01-15 12:00:00.000001+00');
select monitoring.record_error('t', 'E', 'low', 'm', p_fingerprint => 'one');

select is(pg_temp.status_of('one'), 'regressed', 'an occurrence after that makes it regressed');

select monitoring.resolve_error_group('one');

select is(
    pg_temp.decision_about('one'),
    row('resolved', null, null, session_user, '2026-01-15 12:00:00.000001+00')::pg_temp.decision,
    'it can be resolved anew, by the session user unless a name is given'
);

-- Behaviour: muted

select ok(
    monitoring.mute_error_group('one', '2026-01-15 18:00+00', 'known', 'ann'),
    'a group is muted by its fingerprint, until a time, with a note and a name'
);

select is(
    pg_temp.decision_about('one'),
    row(
        'muted', '2026-01-15 18:00+00', 'known', 'ann', '2026-01-15 12:00:00.000001+00'
    )::pg_temp.decision,
    'the newest decision stands'
);

select pg_temp.set_clock('2026-01-15 17:59:59.999999+00');
select monitoring.record_error('t', 'E', 'low', 'm', p_fingerprint => 'one');

select is(pg_temp.status_of('one'), 'muted', 'a muted group stays muted when it is seen again');

select is(
    (select occurrences from monitoring.error_groups where fingerprint = 'one'),
    4::bigint,
    'and its occurrences are still recorded'
);

select pg_temp.set_clock('2026-01-15 18:00+00');

select is(pg_temp.status_of('one'), 'open', 'when a mute ends the group is open');

select is(
    array[monitoring.mute_error_group('other'), monitoring.mute_error_group('other')],
    array[true, false], 'one that was muted already is told of'
);
select pg_temp.set_clock('2030-01-01 00:00+00');

select is(pg_temp.status_of('other'), 'muted', 'a mute without an end does not end');

-- Behaviour: opened again

select ok(
    monitoring.reopen_error_group('other'),
    'a decision is taken back by the fingerprint alone'
);

select is(
    pg_temp.decision_about('other'),
    row('open', null, null, null, null)::pg_temp.decision,
    'and the group is open as if nothing had been decided'
);

select ok(
    not monitoring.reopen_error_group('other'),
    'to take back what was not decided gives false'
);

-- Refusals

select pg_temp.remember_state();

select
    is(
        pg_temp.refusal_of(call),
        row(
            'PV007', message, 'Take the fingerprint from error_groups or error_tracking.'
        )::pg_temp.refusal,
        'is refused: ' || call
    )
from (
    values
    ('resolve_error_group(''nobody'')', 'there is no error group "nobody"'),
    ('mute_error_group(''nobody'')', 'there is no error group "nobody"'),
    ('resolve_error_group(null)', 'there is no error group null')
) as unknown (call, message);

select is(
    pg_temp.state(),
    pg_temp.remembered_state(),
    'a refused decision leaves nothing behind'
);

select * from finish(); -- noqa: AM04
rollback;
