-- What the sections about alerts, retention and jobs may look like, and what other sections refer
-- to as well.

-- That part of the JSON Schema of a configuration.
create or replace function monitoring._config_schema_of_alerts() returns jsonb
language sql
immutable
return $json$
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Configuration of pgvigil",
  "description": "an object with any of the sections",
  "type": "object",
  "properties": {
    "$schema": {"type": "string", "description": "the address of this schema, for editors"},
    "is_complete": {
      "type": "boolean",
      "description": "true when what it says as it is already is not to be decided, or false"
    },
    "alert_thresholds": {
      "type": "object",
      "description": "an object with thresholds of the three best known rules",
      "properties": {
        "error_rates": {"$ref": "#/$defs/thresholds"},
        "processing_times": {"$ref": "#/$defs/thresholds"},
        "queue_backlog": {"$ref": "#/$defs/thresholds"}
      },
      "additionalProperties": false
    },
    "rules": {
      "type": "object",
      "description": "an object of rules by name",
      "propertyNames": {"$ref": "#/$defs/name"},
      "additionalProperties": {"$ref": "#/$defs/rule"}
    },
    "channels": {
      "type": "object",
      "description": "an object of channels by name",
      "propertyNames": {"$ref": "#/$defs/name"},
      "additionalProperties": {"$ref": "#/$defs/channel"}
    },
    "silences": {
      "type": "array",
      "description": "an array of silences",
      "items": {"$ref": "#/$defs/silence"}
    },
    "inhibitions": {
      "type": "array",
      "description": "an array of inhibitions",
      "items": {"$ref": "#/$defs/inhibition"}
    },
    "retention": {
      "type": "object",
      "description": "an object of tables, each with how long its rows are kept",
      "additionalProperties": {"$ref": "#/$defs/retention"}
    },
    "expected_runs": {
      "type": "object",
      "description": "an object of what is expected by task type",
      "propertyNames": {"$ref": "#/$defs/name"},
      "additionalProperties": {"$ref": "#/$defs/expected_run"}
    },
    "jobs": {
      "type": "object",
      "description": "an object of jobs by name",
      "propertyNames": {"$ref": "#/$defs/name"},
      "additionalProperties": {"$ref": "#/$defs/job"}
    }
  },
  "additionalProperties": false,
  "$defs": {
    "name": {
      "type": "string",
      "minLength": 1,
      "maxLength": 255,
      "pattern": "[^ \\t\\r\\n]",
      "description": "a name of 1 to 255 characters that are not all blank"
    },
    "text": {
      "type": ["string", "null"],
      "maxLength": 8000,
      "description": "a text of at most 8000 characters, or null"
    },
    "flag": {"type": "boolean", "description": "true or false"},
    "seconds": {
      "type": "number",
      "minimum": 0,
      "maximum": 315576000,
      "description": "a number of seconds from 0 to 315576000"
    },
    "schedule": {
      "type": "string",
      "minLength": 1,
      "maxLength": 255,
      "description": "an interval such as 5 minutes, a time of day or a cron expression"
    },
    "time_zone": {
      "type": "string",
      "minLength": 1,
      "maxLength": 255,
      "description": "a time zone such as Europe/Berlin"
    },
    "time": {
      "type": "string",
      "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9:.]+(Z|[+-][0-9:]+)$",
      "description": "a time with its offset, such as 2026-01-15T12:00:00Z"
    },
    "severity": {
      "enum": ["low", "medium", "high", "critical"],
      "description": "low, medium, high or critical"
    },
    "threshold": {
      "type": ["number", "null"],
      "minimum": -1e+100,
      "maximum": 1e+100,
      "description": "a number from -1e100 to 1e100, or null for none"
    },
    "thresholds": {
      "type": ["object", "null"],
      "description": "an object of numbers by severity, or null for those as shipped",
      "properties": {
        "low": {"$ref": "#/$defs/threshold"},
        "medium": {"$ref": "#/$defs/threshold"},
        "high": {"$ref": "#/$defs/threshold"},
        "critical": {"$ref": "#/$defs/threshold"}
      },
      "additionalProperties": false
    },
    "override": {
      "type": "object",
      "description": "an object of labels and thresholds",
      "properties": {
        "labels": {
          "type": "object",
          "minProperties": 1,
          "description": "an object of at least one label with a text",
          "additionalProperties": {"type": "string", "description": "a text"}
        },
        "thresholds": {
          "type": "object",
          "description": "an object of numbers by severity, empty for none of their own",
          "properties": {
            "low": {
              "type": "number",
              "minimum": -1e+100,
              "maximum": 1e+100,
              "description": "a number from -1e100 to 1e100"
            },
            "medium": {
              "type": "number",
              "minimum": -1e+100,
              "maximum": 1e+100,
              "description": "a number from -1e100 to 1e100"
            },
            "high": {
              "type": "number",
              "minimum": -1e+100,
              "maximum": 1e+100,
              "description": "a number from -1e100 to 1e100"
            },
            "critical": {
              "type": "number",
              "minimum": -1e+100,
              "maximum": 1e+100,
              "description": "a number from -1e100 to 1e100"
            }
          },
          "additionalProperties": false
        }
      },
      "required": ["labels", "thresholds"],
      "additionalProperties": false
    },
    "rule": {
      "type": ["object", "null"],
      "description": "an object of settings, or null: own rules go, others are as shipped",
      "properties": {
        "query": {
          "type": "string",
          "minLength": 1,
          "maxLength": 65536,
          "description": "a select, for an own rule"
        },
        "description": {"$ref": "#/$defs/text"},
        "unit": {
          "type": ["string", "null"],
          "maxLength": 200,
          "description": "a text of at most 200 characters, or null"
        },
        "comparison": {"enum": [">", ">=", "<", "<="], "description": ">, >=, < or <="},
        "parameters": {"type": "object", "description": "an object of parameters of the rule"},
        "for_seconds": {"$ref": "#/$defs/seconds"},
        "for_evaluations": {
          "type": "integer",
          "minimum": 1,
          "maximum": 100000,
          "description": "a whole number from 1 to 100000"
        },
        "keep_firing_seconds": {"$ref": "#/$defs/seconds"},
        "no_data": {"enum": ["ok", "keep", "alert"], "description": "ok, keep or alert"},
        "on_error": {"enum": ["keep", "ok"], "description": "keep or ok"},
        "time_limit_seconds": {
          "type": "number",
          "minimum": 1,
          "maximum": 315576000,
          "description": "a number of seconds from 1 to 315576000"
        },
        "is_enabled": {"$ref": "#/$defs/flag"},
        "thresholds": {"$ref": "#/$defs/thresholds"},
        "overrides": {
          "type": ["array", "null"],
          "description": "an array of thresholds for certain labels, or null for none",
          "items": {"$ref": "#/$defs/override"}
        }
      },
      "additionalProperties": false
    },
    "matcher": {
      "description": "a text, an array of texts, {\"regex\": ...} or {\"not\": ...}",
      "anyOf": [
        {"type": "string"},
        {"type": "array", "minItems": 1, "items": {"type": "string"}},
        {
          "type": "object",
          "properties": {"regex": {"type": "string"}},
          "required": ["regex"],
          "additionalProperties": false
        },
        {
          "type": "object",
          "properties": {"not": {"$ref": "#/$defs/matcher"}},
          "required": ["not"],
          "additionalProperties": false
        }
      ]
    },
    "channel": {
      "type": ["object", "null"],
      "description": "an object of settings, or null to remove the channel",
      "properties": {
        "targets": {
          "type": "array",
          "minItems": 1,
          "writeOnly": true,
          "description": "an array of at least one name of a target",
          "items": {
            "type": "string",
            "maxLength": 255,
            "pattern": "^[A-Za-z_][A-Za-z0-9_.-]*$",
            "writeOnly": true,
            "description": "a name of a target, for secrets do not belong here"
          }
        },
        "kind": {"enum": ["apprise", "alertmanager"], "description": "apprise or alertmanager"},
        "matchers": {
          "type": "object",
          "description": "an object of labels and what they must match",
          "additionalProperties": {"$ref": "#/$defs/matcher"}
        },
        "minimum_severity": {"$ref": "#/$defs/severity"},
        "has_resolved_notices": {"$ref": "#/$defs/flag"},
        "repeat_seconds": {
          "type": ["number", "null"],
          "minimum": 60,
          "maximum": 31557600,
          "description": "a number of seconds from 60 to 31557600, or null for no reminders"
        },
        "max_per_hour": {
          "type": ["integer", "null"],
          "minimum": 1,
          "maximum": 1000000,
          "description": "a whole number from 1 to 1000000, or null for no limit"
        },
        "max_attempts": {
          "type": "integer",
          "minimum": 1,
          "maximum": 100,
          "description": "a whole number from 1 to 100"
        },
        "summary_time": {
          "type": ["string", "null"],
          "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$",
          "description": "a time of day such as 07:30, or null for none"
        },
        "time_zone": {"$ref": "#/$defs/time_zone"},
        "is_enabled": {"$ref": "#/$defs/flag"}
      },
      "additionalProperties": false
    },
    "silence": {
      "type": "object",
      "description": "an object of matchers, times and a note",
      "properties": {
        "matchers": {
          "type": "object",
          "minProperties": 1,
          "description": "an object of at least one label and what it must match",
          "additionalProperties": {"$ref": "#/$defs/matcher"}
        },
        "starts_at": {"$ref": "#/$defs/time"},
        "ends_at": {
          "anyOf": [{"$ref": "#/$defs/time"}, {"type": "null"}],
          "description": "a time with its offset, or null for none"
        },
        "is_until_resolved": {"$ref": "#/$defs/flag"},
        "note": {"$ref": "#/$defs/text"},
        "created_by": {
          "type": ["string", "null"],
          "maxLength": 255,
          "description": "a name of at most 255 characters"
        }
      },
      "required": ["matchers", "starts_at"],
      "additionalProperties": false
    },
    "inhibition": {
      "type": "object",
      "description": "an object of source_rule, target_rule, equal_labels and is_enabled",
      "properties": {
        "source_rule": {"$ref": "#/$defs/name"},
        "target_rule": {"$ref": "#/$defs/name"},
        "equal_labels": {
          "type": "array",
          "description": "an array of labels",
          "items": {"$ref": "#/$defs/name"}
        },
        "is_enabled": {"$ref": "#/$defs/flag"}
      },
      "required": ["source_rule", "target_rule"],
      "additionalProperties": false
    },
    "keep": {
      "type": ["string", "null"],
      "pattern": "^(forever|([1-9][0-9]{0,4} (year|month|week|day|hour|minute|second)s?( |$))+)$",
      "description": "a length of time such as 30 days or 1 year 6 months, forever, or null"
    },
    "retention": {
      "description": "a length of time such as 30 days, or an object of them by category",
      "anyOf": [
        {"$ref": "#/$defs/keep"},
        {
          "type": "object",
          "minProperties": 1,
          "additionalProperties": {"$ref": "#/$defs/keep"}
        }
      ]
    },
    "expected_run": {
      "type": ["object", "null"],
      "description": "an object of settings, or null to expect none",
      "properties": {
        "schedule": {
          "type": "string",
          "minLength": 1,
          "maxLength": 255,
          "description": "a cron expression, a time of day such as 02:30, or an interval"
        },
        "time_zone": {"$ref": "#/$defs/time_zone"},
        "grace_seconds": {"$ref": "#/$defs/seconds"},
        "early_seconds": {"$ref": "#/$defs/seconds"},
        "counts": {"enum": ["starts", "successes"], "description": "starts or successes"},
        "is_enabled": {"$ref": "#/$defs/flag"}
      },
      "additionalProperties": false
    },
    "job": {
      "type": ["object", "null"],
      "description": "an object of settings, or null: added jobs go, others are as shipped",
      "properties": {
        "procedure": {
          "type": "string",
          "minLength": 1,
          "maxLength": 255,
          "description": "the name of a function or procedure with its schema"
        },
        "description": {
          "type": "string",
          "maxLength": 8000,
          "description": "a text of at most 8000 characters"
        },
        "schedule": {"$ref": "#/$defs/schedule"},
        "time_zone": {"$ref": "#/$defs/time_zone"},
        "is_enabled": {"$ref": "#/$defs/flag"},
        "timeout_seconds": {
          "type": "number",
          "exclusiveMinimum": 0,
          "maximum": 315576000,
          "description": "a number of seconds, more than 0 and at most 315576000"
        }
      },
      "additionalProperties": false
    }
  }
}
$json$::jsonb;
