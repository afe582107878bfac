"""Calls every public function as every role with hostile values: `make fuzz`.

Only documented outcomes are right: the call works, it is refused with a code of docs/errors.md and
a hint, or the role may not make it. What records does not raise at all. Afterwards everything must
still work.
"""
