-- The code of pgvigil, in reading order: everything here is made anew at every deploy.
-- Calls go downwards only: a room calls those above it in this list.
-- Tables come from migrations/ and must be there first. Run with: psql -v ON_ERROR_STOP=1 -1 -f

-- CORE: what every other room needs: how input is checked, the one clock, calendars, partitions.
--
-- The path of an argument: a recording function asks in one expression whether all its arguments
-- are plainly in order (checks.sql, caps.sql). If not, each is repaired (mended_values.sql, with
-- the words of synonyms.sql) and a warning says so. Functions that people call refuse instead: they
-- raise PVnnn with a hint (refusals.sql). A time goes through clock.sql, the only file that asks
-- what time it is.
-- The path of a row: partitions.sql says whether its day has a partition; if not, or if the row is
-- old, late_rows.sql sends it to late_<table>. Many rows at once take bulk.sql.
-- The path of a default: `call _ship_rule(...)` and its kin (shipping.sql) stand beside the code
-- that they serve, in every room, and write what we ship at each deploy; what people decide lies in
-- other columns, which no deploy touches.
-- Reads the catalogue and monitoring.clock_keys; writes guards, partitions, known_names and errors.
-- Lock order: all guards are listed, in order, at the top of guards.sql.
-- Begin with refusals.sql, checks.sql and partitions.sql.
\ir core/drop_former.sql
\ir core/refusals.sql
\ir core/words.sql
\ir core/caps.sql
\ir core/checks.sql
\ir core/synonyms.sql
\ir core/repairs.sql
\ir core/mended_values.sql
\ir core/mended_order.sql
\ir core/json_repairs.sql
\ir core/clock.sql
\ir core/times.sql
\ir core/cron_expression.sql
\ir core/cron.sql
\ir core/schedules.sql
\ir core/shipping.sql
\ir core/guards.sql
\ir core/sessions.sql
\ir core/names.sql
\ir core/partitions.sql
\ir core/late_rows.sql
\ir core/readable_rows.sql
\ir core/bulk.sql
\ir core/documents.sql

-- RECORDING: what programs call.
--
-- The path of one call: record_error() (errors.sql) is plain SQL, so the planner puts it into the
-- caller's statement. It calls _record_error(), which runs with the owner's rights, checks its
-- arguments (core/checks.sql) and inserts one row into today's partition of errors.
-- A task is a row of active_tasks (start_task.sql) that is updated (task_progress.sql) and moves to
-- finished_tasks at its end (complete_task.sql). task_ends.sql deals with an end that is reported
-- twice, late, or before its start.
-- Writes active_tasks, finished_tasks, unsuccessful_attempts, recounts, pings, releases, and one
-- table for each of errors, metrics, log lines, health checks and queues, or its late_ table. Calls
-- no rule.
-- Guarantees: the row commits with the caller's transaction; bad input raises nothing (unless
-- monitoring.strict is on); a call waits for another only when both are about one running task.
-- Begin with metrics.sql, then start_task.sql and complete_task.sql.
\ir recording/outcomes.sql
\ir recording/start_task.sql
\ir recording/task_progress.sql
\ir recording/complete_task.sql
\ir recording/task_ends.sql
\ir recording/finished_tasks.sql
\ir recording/error_fingerprint.sql
\ir recording/errors.sql
\ir recording/metrics.sql
\ir recording/logs.sql
\ir recording/health.sql
\ir recording/queues.sql
\ir recording/pings.sql
\ir recording/releases.sql
\ir recording/batch_calls.sql
\ir recording/batches.sql

-- KEEPING: roll-ups, retention, and the views over rows and roll-ups.
--
-- The path of a row: its recorded_xid tells whether a roll-up has seen it (rollups/marked.sql).
-- New rows of all tables take one common shape (rollups/samples.sql), are added up by minute, hour
-- and day (rollups/roll_up.sql), and count from then on as seen (rollup_progress). Days later
-- retention truncates the partition of its day, and drops it in a later transaction
-- (retention/days.sql, called by retention/cleanup.sql); the roll-up stays.
-- The path of a question: a trend view (rollups/trends.sql) reads roll-ups and adds what they do
-- not contain yet (rollups/spans.sql), so the answer is complete at any moment.
-- Reads the tables of recording; writes rollups, rollup_progress, error_group_totals,
-- component_states, running_totals, retention_policies; removes and places rows.
-- Guarantee: each row is counted once, whatever commits late. Lock order: the row of
-- rollup_progress, then roll-ups, or the guard 'partitions' and then partitions.
-- Begin with rollups/samples.sql, rollups/roll_up.sql and retention/cleanup.sql.
\ir keeping/retention/policies.sql

\ir keeping/rollups/histogram.sql
\ir keeping/rollups/marked.sql
\ir keeping/rollups/samples.sql
\ir keeping/rollups/names.sql
\ir keeping/rollups/uptime.sql
\ir keeping/rollups/groups_and_states.sql
\ir keeping/rollups/running_totals.sql
\ir keeping/rollups/open_days.sql
\ir keeping/rollups/indexed_ranges.sql
\ir keeping/rollups/changes.sql
\ir keeping/rollups/recounts.sql
\ir keeping/rollups/expected_starts.sql
\ir keeping/rollups/roll_up.sql
\ir keeping/rollups/rebuild.sql
\ir keeping/rollups/restored.sql
\ir keeping/rollups/spans.sql
\ir keeping/rollups/one_name.sql
\ir keeping/rollups/trends.sql
\ir keeping/rollups/task_trends.sql
\ir keeping/rollups/settled.sql
\ir keeping/rollups/queue_trends.sql
\ir keeping/rollups/statistics.sql

\ir keeping/retention/slices.sql
\ir keeping/retention/late_rows.sql
\ir keeping/retention/days.sql
\ir keeping/retention/months.sql
\ir keeping/retention/cleanup.sql
\ir keeping/retention/records.sql
\ir keeping/retention/views.sql

\ir keeping/views/tasks.sql
\ir keeping/views/ended_tasks.sql
\ir keeping/views/merged_error_groups.sql
\ir keeping/views/errors.sql
\ir keeping/views/reasons.sql
\ir keeping/views/error_groups.sql
\ir keeping/views/metrics.sql
\ir keeping/views/logs.sql
\ir keeping/views/health.sql
\ir keeping/views/queues.sql
\ir keeping/views/releases.sql
\ir keeping/views/summaries.sql

-- SCHEDULING: jobs inside the database, and whether pgvigil itself keeps up.
--
-- The path of a job: pg_cron or `pgvigil run` calls run_due_jobs() (run_due_jobs.sql) every minute.
-- It cancels runs that take too long and closes those whose session is gone (supervise.sql). Then,
-- for each job that is due: claim.sql notes the next time (plan.sql) and starts a task named
-- pgvigil.<job>; run.sql calls the job's function (routines.sql) and ends the task. Each of these
-- steps is a transaction of its own.
-- Jobs are rows of jobs; people change them through schedule.sql. self_check.sql and freshness.sql
-- say what is late. clock.sql and moved_times.sql repair what a wrong system clock left behind.
-- Reads and writes jobs and clock_readings; records tasks and errors like any other program.
-- Guarantee: no two runs of a job overlap. Lock order: the guard of a job, then its row.
-- Begin with claim.sql, whose heading explains the lock, then run.sql.
\ir scheduling/routines.sql
\ir scheduling/plan.sql
\ir scheduling/moved_times.sql
\ir scheduling/clock.sql
\ir scheduling/claim.sql
\ir scheduling/run.sql
\ir scheduling/supervise.sql
\ir scheduling/run_due_jobs.sql
\ir scheduling/schedule.sql
\ir scheduling/pg_cron.sql
\ir scheduling/pg_cron_runs.sql
\ir scheduling/views.sql
\ir scheduling/freshness.sql
\ir scheduling/checks_of_keeping.sql
\ir scheduling/self_check.sql

-- WATCHING: rules, the engine that turns what they find into alerts, and notifications.
--
-- The path of an alert, all in one transaction of evaluate_alerts() (engine/evaluate.sql):
--   find        each enabled rule looks and returns findings: value and labels, no verdict
--               (engine/find.sql calls rules/*_rules.sql)
--   apply       findings meet thresholds and the alerts that are open (engine/apply.sql)
--   transition  one function for each arrow of an alert's life (engine/transitions.sql)
--   plan        what has changed and was not told yet becomes a message for each channel
--               (notifications/plan.sql, with silences and inhibitions of engine/silences.sql;
--               notifications/messages.sql writes the text)
-- Then the runner fetches messages from notifications/outbox.sql and sends them. What people
-- decide (acknowledge, resolve) is in engine/decide.sql, and plans in the same way.
-- Reads roll-ups and rows; writes raised_alerts, alert_transitions, alert_rule_states and
-- queued_notifications.
-- Guarantees: an alert and its message commit together; a rule that fails stops no other. Lock
-- order: the guard 'evaluations', then _lock_alerts(), then channels, then messages.
-- Begin with rules/queue_rules.sql, engine/evaluate.sql and engine/transitions.sql.
\ir watching/rules/windows.sql
\ir watching/rules/matching.sql
\ir watching/rules/rule_changes.sql
\ir watching/rules/thresholds.sql
\ir watching/rules/rules.sql
\ir watching/rules/owners.sql
\ir watching/rules/error_rules.sql
\ir watching/rules/error_group_rules.sql
\ir watching/rules/health_rules.sql
\ir watching/rules/queue_rules.sql
\ir watching/rules/stalled_queue_rules.sql
\ir watching/rules/task_rules.sql
\ir watching/rules/running_task_rules.sql
\ir watching/rules/business_day.sql
\ir watching/rules/work.sql
\ir watching/rules/task_outcome_rules.sql
\ir watching/rules/failure_streak_rules.sql
\ir watching/rules/task_explanations.sql
\ir watching/rules/expected_times.sql
\ir watching/rules/expected_run_states.sql
\ir watching/rules/missed_runs.sql
\ir watching/rules/expected_runs.sql
\ir watching/rules/expected_run_views.sql
\ir watching/rules/announced_runs.sql
\ir watching/rules/self_rules.sql
\ir watching/rules/delivery_rules.sql
\ir watching/rules/reported_alerts.sql
\ir watching/rules/name_rules.sql
\ir watching/rules/time_limits.sql
\ir watching/rules/rule_queries.sql
\ir watching/rules/own_rules.sql

\ir watching/engine/silences.sql

\ir watching/notifications/channels.sql
\ir watching/notifications/messages.sql
\ir watching/notifications/alertmanager.sql
\ir watching/notifications/plan.sql
\ir watching/notifications/summary.sql
\ir watching/notifications/digest.sql
\ir watching/notifications/outbox.sql
\ir watching/notifications/outcomes.sql

\ir watching/engine/transitions.sql
\ir watching/engine/find.sql
\ir watching/engine/apply.sql
\ir watching/engine/reasons.sql
\ir watching/engine/clock.sql
\ir watching/engine/evaluate.sql
\ir watching/engine/urgent.sql
\ir watching/engine/decide.sql
\ir watching/engine/merge_groups.sql
\ir watching/engine/learn_groups.sql
\ir watching/engine/explain.sql
\ir watching/engine/backtest.sql
\ir watching/engine/backtest_changes.sql
\ir watching/engine/views.sql
\ir watching/engine/rule_views.sql

\ir watching/notifications/views.sql

-- SYSTEMS: ETL, batch, records and sources, each built on the rooms above.
--
-- etl: an execution is a task of type etl, an event a log line, a metric a metric; record.sql and
--   events.sql call the recording functions, views.sql shows the columns that ETL users expect.
-- batch: a workflow is a document (apply.sql); its steps are task types. runs.sql collects the runs
--   of a business day, timeline.sql judges them, rules.sql raises alerts about steps.
-- records: what validations found (found.sql, then invalid.sql; resolve.sql closes it), and the
--   status of each record (statuses.sql for programs, triggers.sql for watched tables, both ending
--   in the one statement of status_statement.sql).
-- history: what happened before, of all kinds (load.sql); known.sql tells what is here already.
-- sources: rows of other systems: runs, records or queues. register_*.sql store what people
--   say, sync.sql reads each source that is due, read_*.sql ask the relation without our
--   rights (foreign_code.sql) and record what changed as if a program had called. adopt.sql makes
--   sources of queues and schedulers that live in PostgreSQL, by the files of adapters/.
-- fleet: other databases with pgvigil, shown here as well: members.sql, what a reading brings
--   (pulls.sql) and what is brought back (decisions.sql), then views and sums over all of them.
-- Guarantees: what is recorded here counts in every rule, roll-up and view of the rooms above; a
-- source that cannot be read stops no other. Lock order: rows of records by their key; for sources
-- and datasets the guards at the top of core/guards.sql.
-- Begin with etl/record.sql, batch/timeline.sql, records/statuses.sql and sources/sync.sql.
\ir systems/etl/record.sql
\ir systems/etl/events.sql
\ir systems/etl/views.sql
\ir systems/etl/summary.sql
\ir systems/etl/metrics.sql
\ir systems/etl/item_rules.sql

\ir systems/batch/schema.sql
\ir systems/batch/check.sql
\ir systems/batch/apply.sql
\ir systems/batch/runs.sql
\ir systems/batch/history.sql
\ir systems/batch/estimates.sql
\ir systems/batch/timeline.sql
\ir systems/batch/warnings.sql
\ir systems/batch/rules.sql
\ir systems/batch/health.sql
\ir systems/batch/views.sql
\ir systems/batch/logs.sql
\ir systems/batch/overviews.sql

\ir systems/records/keys.sql
\ir systems/records/rows.sql
\ir systems/records/datasets.sql
\ir systems/records/status_statement.sql
\ir systems/records/statuses.sql
\ir systems/records/trigger_queries.sql
\ir systems/records/trigger_recording.sql
\ir systems/records/trigger_functions.sql
\ir systems/records/triggers.sql
\ir systems/records/found.sql
\ir systems/records/invalid.sql
\ir systems/records/scopes.sql
\ir systems/records/resolve.sql
\ir systems/records/products.sql
\ir systems/records/programs.sql
\ir systems/records/load_invalid.sql
\ir systems/records/load_statuses.sql
\ir systems/records/invalid_rules.sql
\ir systems/records/status_rules.sql
\ir systems/records/views.sql
\ir systems/records/status_views.sql
\ir systems/records/bot_views.sql
\ir systems/records/timeline.sql
\ir systems/records/daily_summary.sql

\ir systems/history/known.sql
\ir systems/history/samples.sql
\ir systems/history/records.sql
\ir systems/history/load.sql
\ir systems/history/prepare.sql

\ir systems/sources/foreign_code.sql
\ir systems/sources/columns.sql
\ir systems/sources/troubles.sql
\ir systems/sources/register.sql
\ir systems/sources/register_runs.sql
\ir systems/sources/register_records.sql
\ir systems/sources/register_queues.sql
\ir systems/sources/queries.sql
\ir systems/sources/read_runs.sql
\ir systems/sources/adapters.sql
\ir systems/sources/adopted.sql
\ir systems/sources/compare.sql
\ir systems/sources/apply.sql
\ir systems/sources/sync_runs.sql
\ir systems/sources/record_columns.sql
\ir systems/sources/read_records.sql
\ir systems/sources/read_queues.sql
\ir systems/sources/adopted_views.sql
\ir systems/sources/adopt.sql
\ir systems/sources/sync.sql
\ir systems/sources/resolved.sql
\ir systems/sources/staging.sql
\ir systems/sources/rules.sql
\ir systems/sources/views.sql
\ir systems/sources/query_views.sql

\ir systems/fleet/members.sql
\ir systems/fleet/decisions.sql
\ir systems/fleet/pulls.sql
\ir systems/fleet/views.sql
\ir systems/fleet/statistics.sql
\ir systems/fleet/rules.sql

-- READING: dashboards, and the configuration as one document.
--
-- The path of a question: the page, the terminal and Grafana select from views of the rooms above,
-- or call one function that returns JSON: get_dashboard_summary() (dashboards/summary.sql),
-- get_dashboard_cards(), get_trend_points(), get_daily_report(). None reads more than the span that
-- is asked for. A verdict, of a workflow (dashboards/workflow_verdicts.sql) or of a job, is also a
-- sentence, so that all faces say the same.
-- The path of a configuration: apply_config() (config/apply.sql) checks the document against
-- config/schema.sql, compares each entry with what is set (config/get.sql) and calls, for what
-- differs, the function that a person would call. Sections of one kind share a file: those about
-- rules are in config/rules.sql.
-- What a hub asks: get_fleet_changes() and get_fleet_rollups() (fleet/told.sql).
-- Reads everything; writes nothing but what those functions write, all or nothing. Lock order of
-- apply_config(): the guard 'configuration', then _lock_alerts(), then rows.
-- Begin with dashboards/summary.sql and config/get.sql.
\ir reading/dashboards/summary.sql
\ir reading/dashboards/cards.sql
\ir reading/dashboards/trend_points.sql
\ir reading/dashboards/chart_marks.sql
\ir reading/dashboards/usual_days.sql
\ir reading/dashboards/workflow_sentences.sql
\ir reading/dashboards/workflow_verdicts.sql
\ir reading/dashboards/alerts_about.sql
\ir reading/dashboards/queues.sql
\ir reading/dashboards/components.sql
\ir reading/dashboards/component_trends.sql
\ir reading/dashboards/datasets.sql
\ir reading/dashboards/job_history.sql
\ir reading/dashboards/jobs.sql
\ir reading/dashboards/job_runs.sql
\ir reading/dashboards/error_occurrences.sql
\ir reading/dashboards/job_verdicts.sql
\ir reading/dashboards/news.sql
\ir reading/dashboards/report_parts.sql
\ir reading/dashboards/daily_report.sql
\ir reading/dashboards/search.sql

\ir reading/config/schema_alerts.sql
\ir reading/config/schema_systems.sql
\ir reading/config/schema.sql
\ir reading/config/rules.sql
\ir reading/config/inhibitions.sql
\ir reading/config/notices.sql
\ir reading/config/work.sql
\ir reading/config/records.sql
\ir reading/config/sources.sql
\ir reading/config/upkeep.sql
\ir reading/config/get.sql
\ir reading/config/apply.sql

\ir reading/installation.sql

\ir reading/fleet/told.sql

-- LAST: what is no longer shipped is withdrawn, rights are granted and partitions for the first
-- week are made, once all else is there.
\ir withdraw.sql
\ir grants.sql
\ir prepare.sql
