-- Known statuses are forgotten a year after they last changed, but not what a source still has.

begin;
select plan(6);
\ir helpers/fixed_clock.psql
\ir helpers/statuses.psql
\ir helpers/record_source.psql

create function pg_temp.clean_up_at(p_now text) returns void
language plpgsql
as $$
begin
    perform pg_temp.set_clock(p_now);
    perform monitoring.cleanup_old_monitoring_data();
end
$$;

insert into scratch.proposals (branch, number, state) values ('N', 1, '1'), ('N', 2, '1');
select pg_temp.register(p_is_complete => true);
select pg_temp.sync_at('12:00');
delete from scratch.proposals
where number = 2;
select pg_temp.sync_at('13:00');
select pg_temp.track_at('14:00', pg_temp.told('4711', 'OPEN'));
select is(pg_temp.statuses(), 'N|1 OPEN, N|2 gone', 'a source has one of two records');

select pg_temp.clean_up_at('2027-01-15 11:00+00');
select is(pg_temp.statuses(), 'N|1 OPEN, N|2 gone', 'for a year all are known');
select pg_temp.clean_up_at('2027-01-16 12:00+00');
select is(pg_temp.statuses(), 'N|1 OPEN', 'then what is gone is forgotten');
select is(pg_temp.status_of('4711'), null, 'and what a program told');
select alike(
    monitoring.sync_source('crm')::text, '%"new": 0%"unchanged": 1%',
    'what a complete source still has stays known'
);

select monitoring.remove_source('crm');
select pg_temp.clean_up_at('2027-01-16 13:00+00');
select is(pg_temp.statuses(), null, 'until that is no source any more');

select * from finish(); -- noqa: AM04
rollback;
