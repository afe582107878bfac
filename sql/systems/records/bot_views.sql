-- What bots do, by actor and day: changes with change source BOT, and runs of the bot's task type.

create or replace view monitoring.v_bot_performance as
with changes as (
    select
        c.dataset,
        (c.effective_at at time zone coalesce(d.time_zone, 'UTC'))::date as day,
        case when c.change_source = 'BOT' then coalesce(c.actor, '') end as actor,
        c.from_status is not null as has_had_status,
        extract(epoch from c.effective_at - lag(c.effective_at) over (
            -- Numbers sort several times as fast as keys, which are long and begin alike.
            partition by hashtextextended(c.record_key, 0), c.dataset, c.record_key
            order by c.effective_at, c.recorded_at, c.from_status is not null, c.change_id
        ))::double precision as waited_seconds
    from monitoring._all_status_changes as c
    left join monitoring.datasets as d on c.dataset = d.dataset
    where c.validation_type = ''
),

-- Those of others have no actor here: they count in the day's sum alone.
actors as (
    select
        c.dataset,
        c.day,
        c.actor,
        count(*) as changes,
        count(*)::double precision
        / sum(count(*)) over (partition by c.dataset, c.day) as share_of_changes,
        -- What came anew, though it had been there before, had no status meanwhile.
        avg(c.waited_seconds) filter (where c.has_had_status) as avg_wait_seconds
    from changes as c
    group by c.dataset, c.day, c.actor
),

-- Ends of runs among the changes: the newest change up to its end tells whether a run had effect.
moments as (
    select
        c.dataset,
        c.effective_at as happened_at,
        c.effective_at as changed_at,
        null::timestamptz as began_at,
        null as run_status
    from monitoring.datasets as d
    inner join monitoring._all_status_changes as c on d.dataset = c.dataset
    where d.bot_task_type is not null and c.change_source = 'BOT' and c.validation_type = ''
    union all
    select
        d.dataset,
        t.finished_at as happened_at,
        null as changed_at,
        coalesce(t.started_at, t.finished_at) as began_at,
        t.status as run_status
    from monitoring.datasets as d
    inner join monitoring._all_finished_tasks as t on d.bot_task_type = t.task_type
),

judged as (
    select
        m.*,
        max(m.changed_at) over (partition by m.dataset order by m.happened_at) as last_changed_at
    from moments as m
),

runs as (
    select
        j.dataset,
        (j.happened_at at time zone d.time_zone)::date as day,
        count(*) as runs,
        count(*) filter (
            where
            j.run_status = 'completed'
            and coalesce(j.last_changed_at < j.began_at, true)
        ) as runs_without_effect
    from judged as j
    inner join monitoring.datasets as d on j.dataset = d.dataset
    where j.run_status is not null
    group by j.dataset, day
)

select
    coalesce(a.dataset, r.dataset) as dataset,
    coalesce(a.day, r.day) as day,
    nullif(a.actor, '') as actor,
    coalesce(a.changes, 0) as changes,
    a.share_of_changes,
    a.avg_wait_seconds,
    coalesce(r.runs, 0) as runs,
    coalesce(r.runs_without_effect, 0) as runs_without_effect
from (select * from actors where actor is not null) as a
full join runs as r on a.dataset = r.dataset and a.day = r.day;

comment on view monitoring.v_bot_performance is
'What bots did each day, by actor: changes of status, and the runs of the dataset''s bot. Days are '
'those of the dataset.';
comment on column monitoring.v_bot_performance.dataset is
'Name of the dataset.';
comment on column monitoring.v_bot_performance.day is
'Day on which changes took effect and runs ended.';
comment on column monitoring.v_bot_performance.actor is
'Bot that made the changes; null when it was not named, or there were only runs.';
comment on column monitoring.v_bot_performance.changes is
'Number of changes of status that it made.';
comment on column monitoring.v_bot_performance.share_of_changes is
'Share of those in all changes of the dataset that day, 0 to 1; null when there were none.';
comment on column monitoring.v_bot_performance.avg_wait_seconds is
'How long records had had their status before, in the mean; null where no change before is kept.';
comment on column monitoring.v_bot_performance.runs is
'Runs of the bot''s task type that ended, however; those of the day, in the row of every actor.';
comment on column monitoring.v_bot_performance.runs_without_effect is
'Completed runs during which no change with change source BOT took effect in the dataset.';
