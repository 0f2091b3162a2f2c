//! Pages of HTML, each one file that needs nothing beside it.

mod explanation;
mod marked;

pub use explanation::explanation_page;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The page could not be put together.
    #[error("cannot write the page: {0}")]
    Page(#[from] askama::Error),
}
