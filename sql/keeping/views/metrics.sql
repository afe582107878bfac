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
from monitoring._all_metric_samples as m;

comment on view monitoring.performance_monitoring is
'Every measured value. A view, so it has no index of its own '
'and needs none: by hour v_performance_trends answers from roll-ups.';
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
