-- Reading measured values.

create or replace view monitoring.performance_monitoring as
select
    m.metric_name,
    m.metric_type,
    m.value,
    m.unit,
    m.component,
    m.tags,
    m.recorded_at,
    m.task_id,
    m.sample_id
from monitoring.metric_samples as m;

create or replace view monitoring.v_performance_trends as
select
    date_trunc('hour', m.recorded_at, 'UTC') as bucket_at,
    m.metric_name,
    m.component,
    m.unit,
    count(*) as samples,
    avg(m.value) as avg_value,
    min(m.value) as min_value,
    max(m.value) as max_value,
    percentile_disc(0.5) within group (order by m.value) as p50_value,
    percentile_disc(0.95) within group (order by m.value) as p95_value
from monitoring.metric_samples as m
where
    m.recorded_at > (select monitoring.clock()) - interval '24 hours'
    and m.recorded_at <= (select monitoring.clock())
group by bucket_at, m.metric_name, m.component, m.unit;

comment on view monitoring.performance_monitoring is
'Every measured value.';
comment on column monitoring.performance_monitoring.metric_name is
'What was measured.';
comment on column monitoring.performance_monitoring.metric_type is
'How to read the value: gauge, counter, timer or a word of the caller''s own.';
comment on column monitoring.performance_monitoring.value is
'The measured value, finite.';
comment on column monitoring.performance_monitoring.unit is
'Unit of the value, such as ms or rows/s.';
comment on column monitoring.performance_monitoring.component is
'Program, service or stage that was measured.';
comment on column monitoring.performance_monitoring.tags is
'Object of labels, such as {"region": "north"}.';
comment on column monitoring.performance_monitoring.recorded_at is
'When it was measured.';
comment on column monitoring.performance_monitoring.task_id is
'Task that it was measured in.';
comment on column monitoring.performance_monitoring.sample_id is
'Number of the sample; negative when a backfill chose it.';

comment on view monitoring.v_performance_trends is
'Measured values of the last 24 hours, by hour, metric, component and unit.';
comment on column monitoring.v_performance_trends.bucket_at is
'Beginning of the hour, whole in UTC.';
comment on column monitoring.v_performance_trends.metric_name is
'What was measured.';
comment on column monitoring.v_performance_trends.component is
'Program, service or stage that was measured.';
comment on column monitoring.v_performance_trends.unit is
'Unit of the values.';
comment on column monitoring.v_performance_trends.samples is
'How many values were measured.';
comment on column monitoring.v_performance_trends.avg_value is
'Their mean.';
comment on column monitoring.v_performance_trends.min_value is
'The least of them.';
comment on column monitoring.v_performance_trends.max_value is
'The greatest of them.';
comment on column monitoring.v_performance_trends.p50_value is
'Their median.';
comment on column monitoring.v_performance_trends.p95_value is
'95 % of them were no greater than this.';
