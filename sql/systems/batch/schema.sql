-- What a workflow may look like, as a JSON Schema. Reads and writes nothing.

create or replace function monitoring.get_workflow_schema() returns jsonb
language sql
immutable
return $json$
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Workflow of pgvigil",
  "description": "an object with the name of the workflow and its steps",
  "type": "object",
  "required": ["workflow", "steps"],
  "properties": {
    "$schema": {"type": "string", "description": "the address of this schema, for editors"},
    "workflow": {
      "type": "string", "minLength": 1, "maxLength": 255, "pattern": "[^ \\t\\r\\n]",
      "description": "a name of 1 to 255 characters that are not all blank"
    },
    "description": {
      "type": ["string", "null"], "maxLength": 8000,
      "description": "a text of at most 8000 characters, or null"
    },
    "time_zone": {
      "type": "string", "minLength": 1, "maxLength": 255,
      "description": "the name of a time zone, such as \"Europe/Berlin\""
    },
    "cutover": {
      "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$",
      "description": "the time of day at which a business day begins, such as \"05:00\""
    },
    "enabled": {"type": "boolean", "description": "true or false"},
    "steps": {
      "type": "array", "minItems": 1,
      "description": "an array of one step or more",
      "items": {
        "type": "object",
        "required": ["step"],
        "description": "an object with at least the name of the step, {\"step\": \"...\"}",
        "properties": {
          "step": {
            "type": "string", "minLength": 1, "maxLength": 255, "pattern": "[^ \\t\\r\\n]",
            "description": "a name of 1 to 255 characters that are not all blank"
          },
          "description": {
            "type": ["string", "null"], "maxLength": 8000,
            "description": "a text of at most 8000 characters, or null"
          },
          "after": {
            "type": "array",
            "description": "an array of names of steps of this workflow",
            "items": {
              "type": "string", "minLength": 1, "maxLength": 255,
              "description": "the name of a step of this workflow"
            }
          },
          "schedule": {
            "type": ["string", "null"], "minLength": 1, "maxLength": 255,
            "description": "a time of day such as \"18:00\", a cron expression, or null"
          },
          "expected": {
            "type": ["string", "null"], "minLength": 1, "maxLength": 100,
            "description": "a length of time such as \"20 minutes\", or null"
          },
          "late_after": {
            "type": ["string", "null"], "minLength": 1, "maxLength": 100,
            "description": "a length of time such as \"15 minutes\", or null"
          },
          "stuck_after": {
            "type": ["string", "null"], "minLength": 1, "maxLength": 100,
            "description": "a length of time such as \"60 minutes\", or null"
          },
          "long_after": {
            "type": ["string", "null"], "minLength": 1, "maxLength": 100,
            "description": "a length of time such as \"90 minutes\", or null"
          },
          "minimum_rate": {
            "type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 1e12,
            "description": "a number of records a second above 0, or null"
          },
          "optional": {"type": "boolean", "description": "true or false"},
          "until_done": {"type": "boolean", "description": "true or false"}
        },
        "additionalProperties": false
      }
    }
  },
  "additionalProperties": false
}
$json$::jsonb;

comment on function monitoring.get_workflow_schema() is
'What a workflow may look like: a JSON Schema (draft 2020-12).';
