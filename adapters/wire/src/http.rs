//! HTTP/1.1 answers to the few requests that a venue session makes: a GET, its answer, nothing else.
//!
//! `ResponseReader` is fed the bytes as they come and holds the answer when it is whole: status, the headers that a
//! session acts on, the body (by length, in chunks, or up to the end of the stream). Interim answers (1xx) are passed
//! over.
//!
//! Invariants: head, body and chunk lines are bounded; an answer that could be read in two ways (two lengths, length
//! and chunks) is refused.

/// Longest head: status line and all headers.
pub const HEAD_BYTES_MAX: usize = 16 << 10;
/// Longest body: the exchange information of all symbols is some 8 MB.
pub const BODY_BYTES_MAX: usize = 32 << 20;
/// Longest line between chunks, and all trailers together.
pub const CHUNK_LINE_BYTES_MAX: usize = 1 << 10;
/// Most interim answers before the real one.
const INTERIM_COUNT_MAX: usize = 8;

/// Why an answer cannot be read. Positions count bytes from the start of the answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// A line that is not of the expected form.
    #[error("byte {position}: expected {expected}")]
    Syntax {
        /// Start of the line.
        position: u64,
        /// What should stand there.
        expected: &'static str,
    },
    /// A head, body or chunk line above its bound.
    #[error("byte {position}: expected {part} of at most {bound} bytes")]
    TooLong {
        /// Where the bound was passed.
        position: u64,
        /// Which part.
        part: &'static str,
        /// Its bound.
        bound: usize,
    },
    /// The stream ended inside the answer.
    #[error("byte {0}: expected the rest of the answer, found the end of the stream")]
    Truncated(u64),
    /// A request that could not be written as it is.
    #[error("request part {0:?}: expected printable ASCII without spaces")]
    Request(String),
}

/// Where the reader is in the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    /// So many bytes of the body are missing.
    Sized(usize),
    ChunkSize,
    /// So many bytes of the chunk are missing.
    Chunk(usize),
    ChunkEnd,
    Trailers,
    UntilEnd,
    Complete,
}

/// Reads one answer.
#[derive(Debug)]
pub struct ResponseReader {
    state: State,
    /// The head, or the line between two chunks, as far as it has come.
    line: Vec<u8>,
    body: Vec<u8>,
    position: u64,
    trailer_bytes: usize,
    interim_count: usize,
    head: Head,
}

/// What the head said.
#[derive(Clone, Debug, Default)]
struct Head {
    status: u16,
    is_http_1_0: bool,
    content_length: Option<usize>,
    is_chunked: bool,
    closes: bool,
    keeps: bool,
    retry_after_s: Option<u64>,
    used_weight: Option<u64>,
}

impl Default for ResponseReader {
    fn default() -> Self {
        Self::new()
    }
}

impl ResponseReader {
    /// A reader at the start of an answer.
    pub fn new() -> Self {
        Self {
            state: State::Head,
            line: Vec::new(),
            body: Vec::new(),
            position: 0,
            trailer_bytes: 0,
            interim_count: 0,
            head: Head::default(),
        }
    }

    /// Takes bytes as they came and returns how many belong to this answer: all, until it is complete.
    ///
    /// # Errors
    /// `HttpError` naming the byte and what was expected there.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<usize, HttpError> {
        let mut rest = bytes;
        while !rest.is_empty() && self.state != State::Complete {
            let count = match self.state {
                State::Sized(missing) | State::Chunk(missing) => self.take_body(rest, missing)?,
                State::UntilEnd => self.take_body(rest, usize::MAX)?,
                _ => self.take_line(rest)?,
            };
            self.position += count as u64;
            rest = &rest[count..];
        }
        Ok(bytes.len() - rest.len())
    }

    /// Says that the stream has ended, which completes an answer without a stated length.
    ///
    /// # Errors
    /// `Truncated` when the answer is not whole.
    pub fn finish(&mut self) -> Result<(), HttpError> {
        match self.state {
            State::Complete => Ok(()),
            State::UntilEnd => {
                self.state = State::Complete;
                Ok(())
            }
            _ => Err(HttpError::Truncated(self.position)),
        }
    }

    /// True when the answer is whole.
    pub fn is_complete(&self) -> bool {
        self.state == State::Complete
    }

    /// The status code; 0 before the head is whole.
    pub const fn status(&self) -> u16 {
        self.head.status
    }

    /// The body, as far as it has come.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// True when the connection may serve another request after this answer.
    pub fn is_reusable(&self) -> bool {
        let has_end = self.head.is_chunked || self.head.content_length.is_some();
        let is_kept = self.head.keeps || !self.head.is_http_1_0;
        self.is_complete() && (has_end || self.is_bodiless()) && is_kept && !self.head.closes
    }

    /// Seconds to wait before the next request (`Retry-After`), where the venue says so.
    pub const fn retry_after_s(&self) -> Option<u64> {
        self.head.retry_after_s
    }

    /// Request weight used in the present minute (`X-MBX-USED-WEIGHT-1M`), where the venue says so.
    pub const fn used_weight(&self) -> Option<u64> {
        self.head.used_weight
    }

    const fn is_bodiless(&self) -> bool {
        matches!(self.head.status, 204 | 304)
    }

    fn syntax(&self, expected: &'static str) -> HttpError {
        HttpError::Syntax {
            position: self.position,
            expected,
        }
    }

    fn take_body(&mut self, bytes: &[u8], missing: usize) -> Result<usize, HttpError> {
        let count = missing.min(bytes.len());
        if self.body.len() + count > BODY_BYTES_MAX {
            return Err(HttpError::TooLong {
                position: self.position,
                part: "a body",
                bound: BODY_BYTES_MAX,
            });
        }
        self.body.extend_from_slice(&bytes[..count]);
        self.state = match self.state {
            State::Sized(_) if count == missing => State::Complete,
            State::Sized(_) => State::Sized(missing - count),
            State::Chunk(_) if count == missing => State::ChunkEnd,
            State::Chunk(_) => State::Chunk(missing - count),
            other => other,
        };
        Ok(count)
    }

    /// Collects the head, or one line between chunks, and acts on it when it is whole.
    fn take_line(&mut self, bytes: &[u8]) -> Result<usize, HttpError> {
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let count = end.map_or(bytes.len(), |index| index + 1);
        let (part, bound) = match self.state {
            State::Head => ("a head", HEAD_BYTES_MAX),
            _ => ("a line between chunks", CHUNK_LINE_BYTES_MAX),
        };
        if self.line.len() + count > bound {
            return Err(HttpError::TooLong {
                position: self.position,
                part,
                bound,
            });
        }
        self.line.extend_from_slice(&bytes[..count]);
        if end.is_none() {
            return Ok(count);
        }
        let is_done = match self.state {
            State::Head => self.line.ends_with(b"\r\n\r\n"),
            _ => true,
        };
        if is_done {
            let line = core::mem::take(&mut self.line);
            self.act_on(&line)?;
            self.line = line;
            self.line.clear();
        }
        Ok(count)
    }

    fn act_on(&mut self, line: &[u8]) -> Result<(), HttpError> {
        let text = core::str::from_utf8(line).map_err(|_| self.syntax("ASCII text"))?;
        let Some(text) = text.strip_suffix("\r\n") else {
            return Err(self.syntax("a line that ends with CR LF"));
        };
        match self.state {
            State::Head => self.end_head(text),
            State::ChunkSize => self.begin_chunk(text),
            State::ChunkEnd if text.is_empty() => {
                self.state = State::ChunkSize;
                Ok(())
            }
            State::ChunkEnd => Err(self.syntax("the end of the chunk")),
            _ => self.end_trailer(text),
        }
    }

    fn end_head(&mut self, text: &str) -> Result<(), HttpError> {
        let head = Head::parse(text).map_err(|expected| self.syntax(expected))?;
        if (100..200).contains(&head.status) {
            self.interim_count += 1;
            if self.interim_count > INTERIM_COUNT_MAX {
                return Err(self.syntax("an answer after at most 8 interim ones"));
            }
            return Ok(());
        }
        self.head = head;
        self.state = match (self.head.is_chunked, self.head.content_length) {
            _ if self.is_bodiless() => State::Complete,
            (true, Some(_)) => return Err(self.syntax("either a length or chunks, not both")),
            (true, None) => State::ChunkSize,
            (false, Some(0)) => State::Complete,
            (false, Some(length)) if length > BODY_BYTES_MAX => {
                return Err(HttpError::TooLong {
                    position: self.position,
                    part: "a body",
                    bound: BODY_BYTES_MAX,
                });
            }
            (false, Some(length)) => State::Sized(length),
            (false, None) => State::UntilEnd,
        };
        Ok(())
    }

    fn begin_chunk(&mut self, text: &str) -> Result<(), HttpError> {
        let size = text.split(';').next().unwrap_or_default().trim_end();
        let is_hexadecimal = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_hexdigit());
        let size = usize::from_str_radix(size, 16)
            .ok()
            .filter(|_| is_hexadecimal);
        self.state = match size {
            Some(0) => State::Trailers,
            Some(size) => State::Chunk(size),
            None => return Err(self.syntax("the size of a chunk in hexadecimal")),
        };
        Ok(())
    }

    fn end_trailer(&mut self, text: &str) -> Result<(), HttpError> {
        if text.is_empty() {
            self.state = State::Complete;
            return Ok(());
        }
        self.trailer_bytes += text.len();
        if self.trailer_bytes > CHUNK_LINE_BYTES_MAX {
            return Err(HttpError::TooLong {
                position: self.position,
                part: "trailers",
                bound: CHUNK_LINE_BYTES_MAX,
            });
        }
        Ok(())
    }
}

impl Head {
    /// Reads status line and headers, without the last empty line. An error says what was expected.
    fn parse(text: &str) -> Result<Self, &'static str> {
        let mut lines = text.split("\r\n");
        let mut head = Self::default();
        head.status_line(lines.next().unwrap_or_default())?;
        for line in lines.filter(|line| !line.is_empty()) {
            head.header(line)?;
        }
        Ok(head)
    }

    fn status_line(&mut self, line: &str) -> Result<(), &'static str> {
        const EXPECTED: &str = "a status line such as HTTP/1.1 200 OK";
        let (version, rest) = line.split_once(' ').ok_or(EXPECTED)?;
        self.is_http_1_0 = version == "HTTP/1.0";
        if !self.is_http_1_0 && version != "HTTP/1.1" {
            return Err(EXPECTED);
        }
        let code = rest.split(' ').next().unwrap_or_default();
        if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(EXPECTED);
        }
        self.status = code.parse().map_err(|_| EXPECTED)?;
        if self.status < 100 {
            return Err(EXPECTED);
        }
        Ok(())
    }

    fn header(&mut self, line: &str) -> Result<(), &'static str> {
        const EXPECTED: &str = "a header of the form name: value";
        let (name, value) = line.split_once(':').ok_or(EXPECTED)?;
        let is_token = |byte: u8| byte.is_ascii_graphic();
        if name.is_empty() || !name.bytes().all(is_token) || value.contains(['\n', '\r', '\0']) {
            return Err(EXPECTED);
        }
        let value = value.trim_matches([' ', '\t']);
        match name.to_ascii_lowercase().as_str() {
            "content-length" => {
                let length = digits(value).ok_or("a content length in digits")?;
                let length = usize::try_from(length).map_err(|_| "a content length that fits")?;
                if self.content_length.is_some_and(|before| before != length) {
                    return Err("one content length");
                }
                self.content_length = Some(length);
            }
            "transfer-encoding" => {
                if self.is_chunked || !value.eq_ignore_ascii_case("chunked") {
                    return Err("no transfer encoding but chunked, once");
                }
                self.is_chunked = true;
            }
            "content-encoding" if !value.eq_ignore_ascii_case("identity") => {
                return Err("a body without content encoding, as none was asked for");
            }
            "connection" => {
                let mut words = value.split(',').map(str::trim);
                self.closes |= words.clone().any(|word| word.eq_ignore_ascii_case("close"));
                self.keeps |= words.any(|word| word.eq_ignore_ascii_case("keep-alive"));
            }
            "retry-after" => self.retry_after_s = digits(value),
            "x-mbx-used-weight-1m" => self.used_weight = digits(value),
            _ => {}
        }
        Ok(())
    }
}

fn digits(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

/// The text of a GET request. `target` is path and query.
///
/// # Errors
/// `Request` when a part holds a space, a control character or anything but ASCII: it could smuggle a header in.
pub fn get_request(host: &str, target: &str) -> Result<String, HttpError> {
    request("GET", host, target, None)
}

/// The text of a request with the key of an account. `method` is GET or DELETE, `target` path and signed query.
///
/// # Errors
/// As `get_request`.
pub fn keyed_request(
    method: &str,
    host: &str,
    target: &str,
    api_key: &str,
) -> Result<String, HttpError> {
    request(method, host, target, Some(api_key))
}

fn request(
    method: &str,
    host: &str,
    target: &str,
    api_key: Option<&str>,
) -> Result<String, HttpError> {
    for part in [method, host, target].into_iter().chain(api_key) {
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(HttpError::Request(part.to_owned()));
        }
    }
    let key = api_key.map_or_else(String::new, |key| format!("X-MBX-APIKEY: {key}\r\n"));
    Ok(format!(
        "{method} {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: acth\r\nAccept: application/json\r\n\
         Accept-Encoding: identity\r\n{key}Connection: keep-alive\r\n\r\n"
    ))
}
