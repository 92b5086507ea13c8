//! The stages of a message's and a command's way, and where each begins and ends.

/// One stage; the order is that of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The venue's time of market data until its bytes were read.
    Feed,
    /// Bytes read until the message was decoded, the messages before it in the same read included.
    Decode,
    /// Decoded (else: read) until the core took the message's last event. The stamp `decoded` is rounded to 3 % of `decode`, so this is
    /// no more exact than that.
    Queue,
    /// Bytes read until the core took the message's last event: decode and queue together, exact.
    Ingress,
    /// Taken by the core until the decision was in the journal.
    Apply,
    /// Decision in the journal until the core made the command visible to egress.
    Publish,
    /// Visible to egress until the command's bytes were handed over.
    Send,
    /// The cause's bytes read until the command's bytes were handed over: all of the above.
    TickToOrder,
    /// Order handed over until the venue acted, by the venue's clock.
    OrderLeg,
    /// The venue acted, by its clock, until its report was read.
    ReportLeg,
    /// Order handed over until its acknowledgement or refusal was read.
    OrderAck,
    /// Cancel handed over until it was confirmed or refused.
    CancelAck,
}

impl Stage {
    /// Every stage, in order.
    pub const ALL: [Self; 12] = [
        Self::Feed,
        Self::Decode,
        Self::Queue,
        Self::Ingress,
        Self::Apply,
        Self::Publish,
        Self::Send,
        Self::TickToOrder,
        Self::OrderLeg,
        Self::ReportLeg,
        Self::OrderAck,
        Self::CancelAck,
    ];

    /// The name used in tables, JSON and file names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Feed => "feed",
            Self::Decode => "decode",
            Self::Queue => "queue",
            Self::Ingress => "ingress",
            Self::Apply => "apply",
            Self::Publish => "publish",
            Self::Send => "send",
            Self::TickToOrder => "tick_to_order",
            Self::OrderLeg => "order_leg",
            Self::ReportLeg => "report_leg",
            Self::OrderAck => "order_ack",
            Self::CancelAck => "cancel_ack",
        }
    }

    /// From where to where, in a few words.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Feed => "venue's time of a message -> bytes read",
            Self::Decode => "bytes read -> message decoded",
            Self::Queue => "decoded -> taken by the core",
            Self::Ingress => "bytes read -> taken by the core",
            Self::Apply => "taken by the core -> decision journaled",
            Self::Publish => "decision journaled -> visible to egress",
            Self::Send => "visible to egress -> bytes handed over",
            Self::TickToOrder => "cause's bytes read -> order's bytes handed over",
            Self::OrderLeg => "order sent -> venue acted, by the venue's clock",
            Self::ReportLeg => "venue acted, by its clock -> report read",
            Self::OrderAck => "order sent -> acknowledged or refused",
            Self::CancelAck => "cancel sent -> confirmed or refused",
        }
    }

    /// Whether the durations of a run in event time are those of recorded or simulated data. The others would be those of a
    /// machine, and such a run's clock does not move while the machine works.
    pub const fn is_told_in_event_time(self) -> bool {
        matches!(
            self,
            Self::Feed | Self::OrderLeg | Self::ReportLeg | Self::OrderAck | Self::CancelAck
        )
    }
}
