//! A bounded queue between one thread that pushes and one that takes.
//!
//! The queue is crossbeam's; under the model checker it is a lock around a list, so that the order of the hand-over among
//! the other words is what gets checked.

#[cfg(not(feature = "loom"))]
pub(crate) struct Handover<T>(crossbeam::queue::ArrayQueue<T>);

#[cfg(not(feature = "loom"))]
impl<T> Handover<T> {
    pub(crate) fn new(items_max: usize) -> Self {
        Self(crossbeam::queue::ArrayQueue::new(items_max))
    }

    /// Hands an item over; gives it back when there is no room.
    pub(crate) fn push(&self, item: T) -> Result<(), T> {
        self.0.push(item)
    }

    pub(crate) fn take(&self) -> Option<T> {
        self.0.pop()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.0.is_full()
    }
}

#[cfg(feature = "loom")]
pub(crate) struct Handover<T> {
    items: loom::sync::Mutex<std::collections::VecDeque<T>>,
    items_max: usize,
}

#[cfg(feature = "loom")]
impl<T> Handover<T> {
    pub(crate) fn new(items_max: usize) -> Self {
        Self {
            items: loom::sync::Mutex::new(std::collections::VecDeque::new()),
            items_max,
        }
    }

    fn items(&self) -> loom::sync::MutexGuard<'_, std::collections::VecDeque<T>> {
        match self.items.lock() {
            Ok(items) => items,
            Err(poisoned) => poisoned.into_inner(),
        }
    }

    pub(crate) fn push(&self, item: T) -> Result<(), T> {
        let mut items = self.items();
        if items.len() == self.items_max {
            return Err(item);
        }
        items.push_back(item);
        Ok(())
    }

    pub(crate) fn take(&self) -> Option<T> {
        self.items().pop_front()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.items().len() == self.items_max
    }
}
