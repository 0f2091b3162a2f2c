//! What a browser loads.

use slugline_server::Options;

use super::{Asked, options};

#[tokio::test]
async fn pages_load_nothing_from_elsewhere() {
    let asked = Asked::usual();
    let mut kinds = Vec::new();
    for page in ["/", "/docs"] {
        let said = asked.get(page).await;
        assert_eq!(
            (said.status.as_u16(), said.header("content-type")),
            (200, "text/html; charset=utf-8")
        );
        let policy = said.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{policy}");
        assert_eq!(said.header("x-content-type-options"), "nosniff");
        let text = String::from_utf8(said.body).unwrap();
        assert!(!text.contains("http://") && !text.contains("https://"), "{page}");
        let mut files: Vec<String> = text
            .split(['"', '\''])
            .filter(|part| part.starts_with("/assets/") || *part == "/favicon.svg")
            .map(str::to_owned)
            .collect();
        assert!(files.len() >= 3, "{files:?}");
        while let Some(file) = files.pop() {
            let said = asked.get(&file).await;
            assert_eq!(said.status.as_u16(), 200, "{file}");
            kinds.push(said.header("content-type").to_owned());
            let text = String::from_utf8(said.body).unwrap();
            let named = text
                .lines()
                .filter(|line| line.starts_with("import ") || line.starts_with("} from "));
            let named = named.filter_map(|line| line.split("\"./").nth(1)?.split('"').next());
            let modules: Vec<String> = named.map(|name| format!("/assets/{name}")).collect();
            files.extend(modules);
        }
    }
    for kind in ["text/css; charset=utf-8", "text/javascript; charset=utf-8", "image/svg+xml"] {
        assert!(kinds.iter().any(|found| found == kind), "{kind}: {kinds:?}");
    }
    asked.get("/assets/none.js").await.refusal(404, "not_found");
}

#[tokio::test]
async fn a_service_may_have_no_pages() {
    let asked = Asked::new(Options { page: false, ..options() });
    for path in ["/", "/docs", "/openapi.json", "/assets/page.js", "/favicon.svg"] {
        asked.get(path).await.refusal(404, "not_found");
    }
    asked.get("/healthz").await.ok();
}
