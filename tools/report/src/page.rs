//! The page: sections one after the other, and the style they share.

mod account;
mod agents;
mod correlation;
mod head;
mod latency;
mod orders;
mod regime;

use crate::{html::escape, report::Report, svg::heat_style};

const STYLE: &str = include_str!("page.css");
/// Colours on dark ground, beside those of correlations.
const STYLE_DARK: &str = include_str!("dark.css");

/// One section: where a link leads, its name, its content.
pub(crate) struct Section {
    id: &'static str,
    name: &'static str,
    content: String,
}

/// The whole page.
pub(crate) fn write(report: &Report) -> String {
    let sections = [
        Some(head::write(report)),
        account::write(report),
        account::exposure(report),
        correlation::write(report),
        correlation::graph(report),
        agents::write(report),
        regime::write(report),
        Some(latency::write(report)),
        Some(orders::write(report)),
    ];
    let sections: Vec<Section> = sections.into_iter().flatten().collect();
    let links = sections
        .iter()
        .map(|section| format!("<a href=\"#{}\">{}</a>", section.id, section.name));
    let links: String = links.collect();
    let content = sections.iter().map(|section| {
        format!(
            "<section id=\"{}\"><h2>{}</h2>\n{}</section>\n",
            section.id, section.name, section.content
        )
    });
    let content: String = content.collect();
    let (light, dark) = heat_style();
    let style = format!(
        "{STYLE}{light}\n@media screen and (prefers-color-scheme: dark){{\n{STYLE_DARK}{dark}\n}}"
    );
    let title = format!("ACTH report: {}", report.journal);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>\n{style}\n</style>\n</head>\n<body>\n\
         <header><h1>{strategy}</h1><p class=\"sub\">{journal}</p><nav>{links}</nav></header>\n\
         <main>\n{content}</main>\n</body>\n</html>\n",
        title = escape(&title),
        strategy = escape(report.strategy),
        journal = escape(&report.journal),
    )
}
