//! Progress for people: a line on standard error while work goes on, only when that is a terminal.

use std::{
    io::IsTerminal,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

/// How often the line is drawn anew.
const REFRESH: Duration = Duration::from_millis(200);

/// What a display shows at one moment: how far the work is, and a few words.
pub struct Moment {
    /// Done so far.
    pub done: u64,
    /// All there is; 0 = unknown.
    pub total: u64,
    /// Counters in words.
    pub words: String,
}

/// Runs `work` on this thread while a second one draws what `look` reports. Without a terminal only `work` runs.
pub fn with_display<T>(
    is_quiet: bool,
    look: impl Fn() -> Moment + Send + Sync,
    work: impl FnOnce() -> T,
) -> T {
    if is_quiet || !std::io::stderr().is_terminal() {
        return work();
    }
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let display = scope.spawn(|| draw(&look, &is_done));
        let result = work();
        is_done.store(true, Ordering::Release);
        // A display that failed is no reason to lose the result.
        let _ = display.join();
        result
    })
}

fn draw(look: &(impl Fn() -> Moment + Sync), is_done: &AtomicBool) {
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("  {bar:28} {percent:>3}%  {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    while !is_done.load(Ordering::Acquire) {
        let moment = look();
        bar.set_length(moment.total.max(1));
        bar.set_position(moment.done.min(moment.total));
        bar.set_message(moment.words);
        std::thread::sleep(REFRESH);
    }
    bar.finish_and_clear();
}
