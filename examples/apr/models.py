"""The five tables of this system as classes of SQLAlchemy, to read from.

They are views (views.sql) over what pgvigil keeps; to write, call `monitoring_helpers`.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Document = dict[str, Any]


class Base(DeclarativeBase):
    """What the classes have in common."""

    type_annotation_map = {str: Text, Document: JSONB}  # noqa: RUF012 - as SQLAlchemy has it


class APRInvalidRecord(Base):
    """A record that failed a validation, as it is now."""

    __tablename__ = "apr_invalid_records"
    __table_args__ = {"schema": "apr"}  # noqa: RUF012

    dataset: Mapped[str] = mapped_column(primary_key=True)
    record_key: Mapped[str] = mapped_column(primary_key=True)
    validation_type: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str]
    group_name: Mapped[str | None]
    reported_value: Mapped[str | None]
    message: Mapped[str | None]
    details: Mapped[Document | None]
    target_date: Mapped[date]
    first_detected_at: Mapped[datetime]
    opened_at: Mapped[datetime]
    last_detected_at: Mapped[datetime]
    times_detected: Mapped[int]
    times_reopened: Mapped[int]
    is_alerted: Mapped[bool]
    alerted_at: Mapped[datetime | None]
    task_id: Mapped[str | None]
    resolved_at: Mapped[datetime | None]
    resolution: Mapped[str | None]
    resolved_by: Mapped[str | None]
    resolution_reason: Mapped[str | None]
    seconds_open: Mapped[float | None]


class APRStatusHistory(Base):
    """A change of status."""

    __tablename__ = "apr_status_history"
    __table_args__ = {"schema": "apr"}  # noqa: RUF012

    change_id: Mapped[int] = mapped_column(primary_key=True)
    dataset: Mapped[str]
    record_key: Mapped[str]
    recorded_at: Mapped[datetime]
    effective_at: Mapped[datetime]
    validation_type: Mapped[str]
    from_status: Mapped[str | None]
    to_status: Mapped[str | None]
    change_source: Mapped[str]
    actor: Mapped[str | None]
    source_name: Mapped[str | None]
    task_id: Mapped[str | None]
    details: Mapped[Document | None]
    login_name: Mapped[str | None]


class APRProcessingLog(Base):
    """A run of a program over a day."""

    __tablename__ = "apr_processing_log"
    __table_args__ = {"schema": "apr"}  # noqa: RUF012

    task_id: Mapped[str] = mapped_column(primary_key=True)
    finished_at: Mapped[datetime] = mapped_column(primary_key=True)
    dataset: Mapped[str]
    target_date: Mapped[date]
    run_mode: Mapped[str]
    status: Mapped[str]
    started_at: Mapped[datetime | None]
    execution_seconds: Mapped[float | None]
    total_records_queried: Mapped[int | None]
    valid_records: Mapped[int | None]
    invalid_records: Mapped[int | None]
    records_stored: Mapped[int | None]
    alerts_sent: Mapped[int | None]
    statistics: Mapped[Document | None]
    error_message: Mapped[str | None]


class APRProposalProduct(Base):
    """A product that a proposal has."""

    __tablename__ = "apr_proposal_products"
    __table_args__ = {"schema": "apr"}  # noqa: RUF012

    dataset: Mapped[str] = mapped_column(primary_key=True)
    record_key: Mapped[str] = mapped_column(primary_key=True)
    product: Mapped[str] = mapped_column(primary_key=True)
    quantity: Mapped[float | None]
    amount: Mapped[Decimal | None]
    details: Mapped[Document | None]
    first_seen_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    task_id: Mapped[str | None]


class APRDailySummary(Base):
    """What a day came to."""

    __tablename__ = "apr_daily_summary"
    __table_args__ = {"schema": "apr"}  # noqa: RUF012

    dataset: Mapped[str] = mapped_column(primary_key=True)
    target_date: Mapped[date] = mapped_column(primary_key=True)
    runs: Mapped[int]
    records_queried: Mapped[int]
    valid_records: Mapped[int]
    invalid_records: Mapped[int]
    records_stored: Mapped[int]
    alerts_sent: Mapped[int]
    invalid_opened: Mapped[int]
    invalid_resolved: Mapped[int]
    invalid_open: Mapped[int]
    invalid_by_type: Mapped[Document]
    status_changes: Mapped[int]
    status_changes_by_source: Mapped[Document]
    products: Mapped[int]
    updated_at: Mapped[datetime]
