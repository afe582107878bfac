-- Error groups that the database finds to be one: their messages differ in a name only.

begin;
select plan(13);
\ir helpers/fixed_clock.psql
\ir helpers/rolled_up.psql

create function pg_temp.fail(p_message text, p_words text[], p_type text default 'E')
returns bigint
language sql
as $$
    select count(
        monitoring.record_error('t', p_type, 'high', format(p_message, word), 'c')
    )
    from unnest(p_words) as word
$$;

-- As a roll-up of all there is; it cannot tell rows of this transaction apart.
create function pg_temp.roll_up_groups() returns void
language sql
as $$
    delete from monitoring.error_group_totals;
    update monitoring.rollup_progress set claimed_below = 0, still_open = '{}';
    select monitoring._merge_error_groups(9223372036854775807, '{}');
    select pg_temp.take_all()
$$;

create function pg_temp.learned() returns bigint
language sql
as $$
    select pg_temp.roll_up_groups();
    select monitoring.learn_error_groups()
$$;

create function pg_temp.groups_of(p_type text) returns bigint
language sql
as $$
    select count(*) from monitoring.error_groups as g where g.error_type = p_type
$$;

create function pg_temp.group_of(p_type text, p_message text) returns text
language sql
as $$
    select monitoring._error_group_of(monitoring.error_fingerprint(p_type, p_message))
$$;

create function pg_temp.names(p_count integer) returns text[]
language sql
as $$
    select array(
        select 'table' || translate(n::text, '0123456789', 'qrstvwxyzk')
        from generate_series(1, p_count) as n
    )
$$;

-- Behaviour

select pg_temp.fail('%s is locked by another', pg_temp.names(11));
select is(pg_temp.learned(), 0::bigint, 'eleven names might be all there are');

select pg_temp.fail('%s is locked by another', array['orders']);
select is(pg_temp.learned(), 11::bigint, 'a dozen are names: their groups are one');

select results_eq(
    $$
        select occurrences, cardinality(merged_from) from monitoring.error_groups
        where error_type = 'E'
    $$,
    $$values (12::bigint, 11)$$,
    'which has all that was counted'
);

select is(pg_temp.learned(), 0::bigint, 'nothing is learned twice');

select pg_temp.fail('%s is locked by another', array['customers']);
select is(pg_temp.learned(), 1::bigint, 'a name that comes later joins them');

select pg_temp.fail('the disk was %s again today', pg_temp.names(12), 'Verb');
select pg_temp.fail(
    'the disk was %s again today', array['mounted', 'mounting', 'lost', 'full', 'online', 'read'],
    'Verb'
);
select is(pg_temp.learned(), 11::bigint, 'words that say what happened are no names');
select is(pg_temp.groups_of('Verb'), 7::bigint, 'and stay groups of their own');

select pg_temp.fail('%s is locked by another', pg_temp.names(11), 'Other type');
select is(pg_temp.learned(), 0::bigint, 'errors of another type are counted by themselves');

-- What people decide

select ok(
    monitoring.split_error_group(
        monitoring.error_fingerprint('E', 'orders is locked by another')
    ),
    'people may take one out'
);
select is(pg_temp.learned(), 0::bigint, 'which is never merged again');

select pg_temp.fail('no room on %s for this', pg_temp.names(12), 'Decided');
select pg_temp.roll_up_groups();
select monitoring.mute_error_group(
    monitoring.error_fingerprint('Decided', 'no room on tabley for this')
);
select monitoring.merge_error_groups(
    monitoring.error_fingerprint('E', 'orders is locked by another'),
    array[monitoring.error_fingerprint('Decided', 'no room on tabler for this')]
);
select pg_temp.fail('no room on %s for this', array['orders', 'customers'], 'Decided');
select is(pg_temp.learned(), 12::bigint, 'the others are merged');
select is(
    pg_temp.group_of('Decided', 'no room on orders for this'),
    monitoring.error_fingerprint('Decided', 'no room on tabley for this'),
    'into the one that people have decided about'
);
select is(
    pg_temp.group_of('Decided', 'no room on tabler for this'),
    monitoring.error_fingerprint('E', 'orders is locked by another'),
    'and what people have merged stays where it is'
);

select * from finish(); -- noqa: AM04
rollback;
