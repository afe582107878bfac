"""What other systems tell: each a call of one function of the database."""

PING = """
select monitoring.record_ping(
    p_name => %(name)s, p_action => %(action)s, p_run_id => %(run_id)s, p_body => %(body)s,
    p_is_created => %(is_created)s
)
"""
RAISE = """
select monitoring.raise_alert(
    p_source => %(source)s, p_fingerprint => %(fingerprint)s, p_severity => %(severity)s,
    p_summary => %(summary)s, p_labels => %(labels)s, p_details => %(details)s
)
"""
CLEAR = "select monitoring.clear_alert(p_source => %(source)s, p_fingerprint => %(fingerprint)s)"
ERRORS = "select monitoring.record_errors(p_errors => %(errors)s)"
FINGERPRINT = """
select monitoring.error_fingerprint(p_error_type => %(error_type)s, p_message => %(message)s)
"""
CHECK_IN = """
select monitoring.record_ping(
    p_name => %(name)s, p_action => %(action)s, p_run_id => %(run_id)s,
    p_duration => %(duration)s
)
"""
EXPECTED = """
select monitoring.record_expected_runs(
    p_task_type => %(task_type)s, p_schedule => %(schedule)s, p_time_zone => %(time_zone)s,
    p_grace => %(grace)s
)
"""
