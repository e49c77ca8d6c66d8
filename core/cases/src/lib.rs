//! What the service decides: limits, mail or desk, approvals.
