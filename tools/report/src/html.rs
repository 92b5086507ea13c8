//! Markup, and the one way by which foreign text gets into it.

/// Text that means itself in markup, as content and as an attribute's value. What no XML may hold becomes a replacement character.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            letter if letter.is_control() && letter != '\n' => safe.push('\u{fffd}'),
            letter => safe.push(letter),
        }
    }
    safe
}

/// A table that is filled row by row. Cells are escaped.
pub(crate) struct Table {
    text: String,
    columns: usize,
}

/// A column: its name, and whether it holds words (left), numbers (right) or sentences (left, broken into lines).
#[derive(Clone, Copy)]
pub(crate) enum Column {
    Words(&'static str),
    Numbers(&'static str),
    Sentences(&'static str),
}

impl Table {
    pub(crate) fn new(columns: &[Column]) -> Self {
        let heads = columns.iter().map(|column| match column {
            Column::Words(name) | Column::Sentences(name) => format!("<th>{}</th>", escape(name)),
            Column::Numbers(name) => format!("<th class=\"n\">{}</th>", escape(name)),
        });
        let heads: String = heads.collect();
        Self {
            text: format!("<div class=\"wide\"><table><thead><tr>{heads}</tr></thead><tbody>\n"),
            columns: columns.len(),
        }
    }

    /// Adds a row; `kinds` are those of `new`.
    pub(crate) fn row(&mut self, columns: &[Column], cells: &[String]) {
        assert_eq!(
            (columns.len(), cells.len()),
            (self.columns, self.columns),
            "a cell for each column"
        );
        self.text += "<tr>";
        for (column, cell) in columns.iter().zip(cells) {
            let class = match column {
                Column::Words(_) => "",
                Column::Numbers(_) => " class=\"n\"",
                Column::Sentences(_) => " class=\"why\"",
            };
            self.text += &format!("<td{class}>{}</td>", escape(cell));
        }
        self.text += "</tr>\n";
    }

    pub(crate) fn end(mut self) -> String {
        self.text += "</tbody></table></div>\n";
        self.text
    }
}

/// A whole table of these rows.
pub(crate) fn table(columns: &[Column], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new(columns);
    rows.into_iter().for_each(|row| table.row(columns, &row));
    table.end()
}

/// A list of names and values, each value with the key by which a script finds it and its exact form.
pub(crate) struct Facts(String);

impl Facts {
    pub(crate) fn new() -> Self {
        Self(String::from("<dl>\n"))
    }

    /// A value as people read it, and as a script does.
    pub(crate) fn add(&mut self, name: &str, key: &str, shown: &str, exact: &str) {
        self.0 += &format!(
            "<div><dt>{}</dt><dd data-fact=\"{}\" data-exact=\"{}\">{}</dd></div>\n",
            escape(name),
            escape(key),
            escape(exact),
            escape(shown)
        );
    }

    pub(crate) fn end(mut self) -> String {
        self.0 += "</dl>\n";
        self.0
    }
}

/// A drawing with its caption.
pub(crate) fn figure(caption: &str, drawing: &str) -> String {
    format!(
        "<figure>{drawing}<figcaption>{}</figcaption></figure>\n",
        escape(caption)
    )
}

/// A paragraph.
pub(crate) fn paragraph(text: &str) -> String {
    format!("<p>{}</p>\n", escape(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_means_itself() {
        assert_eq!(
            escape("<script a='1'>\"&\u{0}</script>"),
            "&lt;script a=&#39;1&#39;&gt;&quot;&amp;\u{fffd}&lt;/script&gt;"
        );
    }

    #[test]
    fn cells_are_escaped() {
        let columns = [Column::Words("name"), Column::Numbers("n")];
        let text = table(&columns, [vec![String::from("<b>"), String::from("1 < 2")]]);
        assert!(text.contains("<td>&lt;b&gt;</td><td class=\"n\">1 &lt; 2</td>"));
    }
}
