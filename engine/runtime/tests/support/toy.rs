//! A machine of a few lines: places an order on every third trade, cancels all of them when halted.

use acth_core::{
    decision::{ClientOrderId, Decision, DecisionKind, Decisions, OrderType, TimeInForce},
    event::{Event, EventView, OperatorAction, Side},
    hash::StateHasher,
};
use acth_engine::machine::Machine;

pub(crate) const HUB_ID: u16 = 9;
/// A trade at this price makes the machine panic.
pub(crate) const PRICE_PANIC: i64 = 666;
/// A trade at this price makes the machine place `BURST` orders.
pub(crate) const PRICE_BURST: i64 = 777;
pub(crate) const BURST: usize = 60;

#[derive(Clone, Debug)]
pub(crate) struct Toy {
    pub(crate) hasher: StateHasher,
    pub(crate) applied: u64,
    pub(crate) open: Vec<u64>,
    pub(crate) sent: u64,
    pub(crate) rejected: u64,
    pub(crate) timers: u64,
    pub(crate) actions: Vec<OperatorAction>,
    /// Decide otherwise at this input: for planted divergences.
    pub(crate) differs_at: Option<u64>,
}

impl Default for Toy {
    fn default() -> Self {
        Self {
            hasher: StateHasher::new(),
            applied: 0,
            open: Vec::with_capacity(1 << 16),
            sent: 0,
            rejected: 0,
            timers: 0,
            actions: Vec::with_capacity(16),
            differs_at: None,
        }
    }
}

impl Toy {
    fn place(&mut self, sequence: u64, price: i64, decisions: &mut Decisions) {
        // The promise of the engine: decision k of this input is the frame sequence + 1 + k.
        let deciding = sequence + 1 + decisions.as_slice().len() as u64;
        let id = ClientOrderId::new(HUB_ID, deciding).0;
        let mut decision = Decision {
            kind: DecisionKind::PlaceOrder as u8,
            side: Side::Bid as u8,
            client_order_id: id,
            price,
            quantity: 1,
            order_type: OrderType::Limit as u8,
            time_in_force: TimeInForce::GoodTillCancelled as u8,
            ..Decision::default()
        };
        if self.differs_at == Some(self.applied) {
            decision.price += 1;
        }
        if decisions.push(decision) {
            self.open.push(id);
        }
    }

    fn on_action(&mut self, action: OperatorAction, decisions: &mut Decisions) {
        self.actions.push(action);
        match action {
            OperatorAction::Halt | OperatorAction::End => {
                for id in self.open.iter().take(decisions.room()) {
                    let pushed = decisions.push(Decision {
                        kind: DecisionKind::CancelOrder as u8,
                        client_order_id: *id,
                        ..Decision::default()
                    });
                    assert!(pushed);
                }
            }
            OperatorAction::Stop => {
                let pushed = decisions.push(Decision {
                    kind: DecisionKind::StateHashed as u8,
                    hash: self.state_hash(),
                    ..Decision::default()
                });
                assert!(pushed);
            }
            _ => {}
        }
    }
}

impl Machine for Toy {
    fn apply(&mut self, sequence: u64, ts_core_ns: i64, event: &Event, decisions: &mut Decisions) {
        assert!(decisions.as_slice().is_empty());
        self.applied += 1;
        self.hasher.word(sequence);
        self.hasher.signed(ts_core_ns);
        event.body.iter().for_each(|word| self.hasher.word(*word));
        match event.view() {
            EventView::Trade(trade) => match trade.price {
                PRICE_PANIC => panic!("planted in the machine"),
                PRICE_BURST => {
                    for _ in 0..BURST {
                        self.place(sequence, trade.price, decisions);
                    }
                }
                0 => self.place(sequence, trade.price, decisions),
                _ => {}
            },
            EventView::OrderCancelled(report) => {
                self.open.retain(|id| *id != report.client_order_id);
            }
            EventView::OrderRejected(report) => {
                self.rejected += 1;
                self.open.retain(|id| *id != report.client_order_id);
            }
            EventView::CommandSent(_) => self.sent += 1,
            EventView::TimerFired(_) => self.timers += 1,
            EventView::OperatorCommanded {
                action: Some(action),
                ..
            } => self.on_action(action, decisions),
            _ => {}
        }
    }

    fn state_hash(&self) -> u64 {
        let mut hasher = self.hasher;
        hasher.word(self.open.len() as u64);
        hasher.finish()
    }
}
