//! Orders of ours: their lifecycle as one table of transitions, and the bounded table that holds them.
//!
//! Reports of a venue may be late, repeated, reordered or wrong. The rules that make this harmless:
//!
//! - The state moves only forward; a final state (`Filled`, `Cancelled`, `Rejected`) absorbs everything.
//! - A fill is known by (order, execution id) and counts once, whatever the order of arrival.
//! - A fill that comes after its order ended still counts: the money moved, whatever we believed.
//! - What cannot happen in any order of arrival is `Illegal`: counted, for an alarm, and the state does not move.
//!
//! | state \ signal  | Accept  | Reject   | FillPart        | FillWhole | RequestCancel | Cancel    | CancelReject |
//! |-----------------|---------|----------|-----------------|-----------|---------------|-----------|--------------|
//! | PendingNew      | Working | Rejected | PartiallyFilled | Filled    | PendingCancel | Cancelled | stay         |
//! | Working         | stay    | Rejected | PartiallyFilled | Filled    | PendingCancel | Cancelled | stay         |
//! | PartiallyFilled | stay    | illegal  | PartiallyFilled | Filled    | PendingCancel | Cancelled | stay         |
//! | PendingCancel   | beneath | beneath  | beneath         | Filled    | stay          | Cancelled | back         |
//! | Filled          | stay    | illegal  | illegal         | illegal   | stay          | stay      | stay         |
//! | Cancelled       | stay    | illegal  | stay            | stay      | stay          | stay      | stay         |
//! | Rejected        | stay    | stay     | illegal         | illegal   | stay          | stay      | stay         |
//!
//! `beneath`: an order that waits for its cancel remembers the state that it came from, and the signal moves that
//! one; if it ends there, the order ends. `back`: the cancel was refused, the remembered state is the state again.
//! `Working` may be rejected because some venues acknowledge the receipt first and judge later.
//!
//! Invariant: no allocation after construction; the quantity that may still trade is exact at every moment.

mod chain;
mod executions;
mod index;
mod open_sums;
mod order;
mod state;
mod table;

pub use executions::EXECUTIONS_MAX;
pub(crate) use open_sums::agent_index;
pub use open_sums::{AGENTS_MAX, OpenSums};
pub use order::{Order, OrderChange, OrderError, OrderTableError};
pub use state::{ORDER_SIGNALS, ORDER_STATES, OrderSignal, OrderState, TRANSITIONS, Transition};
pub use table::{OPEN_ORDERS_MAX, OrderCounts, OrderTable, RECENT_ORDERS_MAX};
